import { badRequest } from '../api-error.js';
import { at, type FieldError, fieldError } from '../field-errors.js';
import { deepEqual, isObject, type Json, type JsonObject, stringAt } from '../json.js';
import { eventFromWire, eventToWire, validateEvent } from './event.js';
import type { ApiObject, Kind, KindRules } from './kind.js';
import { podRules } from './pod.js';

/** The kinds of Kubernetes itself that this server keeps. */
export function builtinKinds(): Kind[] {
  return [
    builtin({
      plural: 'namespaces',
      kind: 'Namespace',
      shortNames: ['ns'],
      namespaced: false,
      nameIsLabel: true,
      hasStatus: true,
      rules: namespaceRules,
    }),
    builtin({ plural: 'nodes', kind: 'Node', shortNames: ['no'], namespaced: false, hasStatus: true }),
    builtin({
      plural: 'pods',
      kind: 'Pod',
      shortNames: ['po'],
      categories: ['all'],
      hasStatus: true,
      hasGeneration: true,
      selectable: fields(
        'spec.nodeName',
        'spec.restartPolicy',
        'spec.serviceAccountName',
        'status.phase',
        'status.podIP',
      ),
      rules: podRules,
    }),
    builtin({ plural: 'secrets', kind: 'Secret', selectable: fields('type'), rules: secretRules }),
    builtin({ plural: 'configmaps', kind: 'ConfigMap', shortNames: ['cm'], rules: configMapRules }),
    builtin({
      group: 'coordination.k8s.io',
      plural: 'leases',
      kind: 'Lease',
      unconditionalUpdate: false,
      rules: leaseRules,
    }),
    builtin({
      plural: 'events',
      kind: 'Event',
      shortNames: ['ev'],
      storage: 'events.k8s.io/events',
      selectable: fields(
        ...EVENT_FIELDS,
        ...['kind', 'namespace', 'name', 'uid'].map((field) => `involvedObject.${field}`),
      ),
      fromWire: eventFromWire,
      toWire: eventToWire,
      rules: { validate: validateEvent },
    }),
    builtin({
      group: 'events.k8s.io',
      plural: 'events',
      kind: 'Event',
      shortNames: ['ev'],
      selectable: fields(
        ...EVENT_FIELDS,
        ...['kind', 'namespace', 'name', 'uid'].map((field) => `regarding.${field}`),
      ),
      rules: { validate: validateEvent },
    }),
  ];
}

const EVENT_FIELDS = ['reason', 'type', 'reportingController'];

type Defaulted =
  | 'group'
  | 'version'
  | 'singular'
  | 'listKind'
  | 'shortNames'
  | 'categories'
  | 'namespaced'
  | 'storage';
type DefaultedToo =
  | 'hasStatus'
  | 'hasGeneration'
  | 'unconditionalUpdate'
  | 'nameIsLabel'
  | 'selectable'
  | 'rules';
type BuiltinOptions = Pick<Kind, 'plural' | 'kind'> &
  Partial<Pick<Kind, Defaulted | DefaultedToo | 'fromWire' | 'toWire'>>;

export function builtin(options: BuiltinOptions): Kind {
  const group = options.group ?? '';
  return {
    group,
    version: 'v1',
    singular: options.kind.toLowerCase(),
    listKind: `${options.kind}List`,
    shortNames: [],
    categories: [],
    namespaced: true,
    storage: `${group}/${options.plural}`,
    hasStatus: false,
    hasGeneration: false,
    unconditionalUpdate: true,
    nameIsLabel: false,
    selectable: new Map(),
    rules: {},
    ...options,
  };
}

function fields(...paths: string[]): ReadonlyMap<string, (object: ApiObject) => string> {
  return new Map(paths.map((path) => [path, (object) => stringAt(object, ...path.split('.')) ?? '']));
}

const PROTECTED_NAMESPACES = new Set(['default', 'kube-system', 'kube-public']);

const namespaceRules: KindRules = {
  create: (object) => ({ ...object, spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } }),
  update: (object, old) => ({ ...object, spec: old['spec'] ?? {} }),
  refuseDelete: (object) =>
    PROTECTED_NAMESPACES.has(object.metadata.name) ? 'this namespace may not be deleted' : undefined,
  onDelete: (object) => ({ ...object, status: { phase: 'Terminating' } }),
  // The content goes first; who empties the namespace takes the finalizer away.
  isGone: (object) =>
    ((object['spec'] as JsonObject | undefined)?.['finalizers'] as Json[] | undefined)?.length === 0,
};

const CONFIG_KEY = /^[-._a-zA-Z0-9]+$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const configMapRules: KindRules = {
  validate: (object, old) => [
    ...dataErrors(object, 'data'),
    ...dataErrors(object, 'binaryData'),
    ...immutableErrors(object, old),
  ],
};

const secretRules: KindRules = {
  admit: (object) => {
    const { stringData, ...rest } = object;
    const data: JsonObject = { ...(isObject(rest['data']) ? rest['data'] : {}) };
    if (isObject(stringData)) {
      for (const [key, value] of Object.entries(stringData))
        data[key] = Buffer.from(String(value)).toString('base64');
    }
    const type = rest['type'] ?? 'Opaque';
    return { ...(rest as ApiObject), type, ...(Object.keys(data).length === 0 ? {} : { data }) };
  },
  validate: (object, old) => {
    const errors = [...dataErrors(object, 'data'), ...immutableErrors(object, old)];
    for (const [key, value] of Object.entries(isObject(object['data']) ? object['data'] : {})) {
      // Never the value itself: messages end up in logs.
      if (typeof value === 'string' && !BASE64.test(value))
        errors.push(fieldError.invalid(at.key('data', key), '<redacted>', 'must be base64'));
    }
    if (old !== undefined && !deepEqual(object['type'], old['type'])) {
      errors.push(fieldError.invalid('type', object['type'], 'field is immutable'));
    }
    return errors;
  },
};

function dataErrors(object: ApiObject, field: 'data' | 'binaryData'): FieldError[] {
  const data = object[field];
  if (data === undefined) return [];
  if (!isObject(data)) return [fieldError.type(field, 'object', typeof data)];
  return Object.entries(data).flatMap(([key, value]) => {
    if (!CONFIG_KEY.test(key) || key.length > 253 || key === '.' || key === '..') {
      return [
        fieldError.invalid(
          at.key(field, key),
          key,
          "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
        ),
      ];
    }
    return typeof value === 'string' ? [] : [fieldError.type(at.key(field, key), 'string', typeof value)];
  });
}

function immutableErrors(object: ApiObject, old: ApiObject | undefined): FieldError[] {
  if (old?.['immutable'] !== true) return [];
  const errors: FieldError[] = [];
  if (object['immutable'] !== true)
    errors.push(fieldError.forbidden('immutable', 'field is immutable when `immutable` is set'));
  for (const field of ['data', 'binaryData']) {
    if (!deepEqual(object[field], old[field]))
      errors.push(fieldError.forbidden(field, 'field is immutable when `immutable` is set'));
  }
  return errors;
}

/** metav1.MicroTime takes six fractional digits and nothing else. */
const MICRO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}(Z|[+-]\d{2}:\d{2})$/;

const leaseRules: KindRules = {
  admit: (object) => {
    const spec = isObject(object['spec']) ? object['spec'] : {};
    for (const field of ['renewTime', 'acquireTime']) {
      const value = spec[field];
      if (value === undefined || value === null || (typeof value === 'string' && MICRO_TIME.test(value)))
        continue;
      // A Go decoder fails on these before anything is validated, hence 400.
      throw badRequest(
        `Lease in version "v1" cannot be handled as a Lease: spec.${field}: parsing time ${JSON.stringify(value)} as "2006-01-02T15:04:05.000000Z07:00"`,
      );
    }
    return object;
  },
  validate: (object) => {
    const spec = isObject(object['spec']) ? object['spec'] : {};
    const errors: FieldError[] = [];
    const duration = spec['leaseDurationSeconds'];
    if (duration !== undefined && !(Number.isInteger(duration) && Number(duration) > 0)) {
      errors.push(fieldError.invalid('spec.leaseDurationSeconds', duration, 'must be greater than 0'));
    }
    const transitions = spec['leaseTransitions'];
    if (transitions !== undefined && !(Number.isInteger(transitions) && Number(transitions) >= 0)) {
      errors.push(
        fieldError.invalid('spec.leaseTransitions', transitions, 'must be greater than or equal to 0'),
      );
    }
    return errors;
  },
};

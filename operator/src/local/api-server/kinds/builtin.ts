import { stringAt } from '../json.js';
import { configMapRules, secretRules } from './config-data.js';
import { eventFromWire, eventToWire, validateEvent } from './event.js';
import type { ApiObject, Kind } from './kind.js';
import { leaseRules } from './lease.js';
import { namespaceRules } from './namespace.js';
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

import { fieldTypeOf } from '../fields/field-type.js';
import { stringAt } from '../json.js';
import { builtinType, schemaOfKind } from '../openapi/builtin.js';
import { BUILTIN_COLUMNS } from '../table/builtin-columns.js';
import { configMapRules, secretRules } from './config-data.js';
import { controllerRevisionRules } from './controller-revision.js';
import { EMPTY_CORE_EVENT, EMPTY_EVENT, eventFromWire, eventRules, eventToWire } from './event.js';
import type { ApiObject, Kind } from './kind.js';
import { leaseRules } from './lease.js';
import { namespaceRules } from './namespace.js';
import { EMPTY_NODE, nodeRules } from './node.js';
import { podRules } from './pod.js';
import { typedRules } from './typed.js';

/** The kinds of Kubernetes itself that this server keeps; groups in the order in which the real one lists them. */
export function builtinKinds(): Kind[] {
  return [
    builtin({ plural: 'configmaps', kind: 'ConfigMap', shortNames: ['cm'], rules: configMapRules }),
    builtin({
      plural: 'events',
      kind: 'Event',
      shortNames: ['ev'],
      storage: 'events.k8s.io/events',
      selectable: fields(
        ...EVENT_FIELDS,
        ...OBJECT_FIELDS.map((field) => `involvedObject.${field}`),
        'source',
      ),
      fromWire: eventFromWire,
      toWire: eventToWire,
      rules: eventRules,
      empty: EMPTY_CORE_EVENT,
    }),
    builtin({
      plural: 'namespaces',
      kind: 'Namespace',
      shortNames: ['ns'],
      namespaced: false,
      nameIsLabel: true,
      hasStatus: true,
      verbs: VERBS.filter((verb) => verb !== 'deletecollection'),
      selectable: fields('status.phase'),
      rules: namespaceRules,
      empty: { spec: {}, status: {} },
    }),
    builtin({
      plural: 'nodes',
      kind: 'Node',
      shortNames: ['no'],
      namespaced: false,
      hasStatus: true,
      rules: nodeRules,
      empty: EMPTY_NODE,
    }),
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
        'spec.schedulerName',
        'spec.serviceAccountName',
        'status.phase',
        'status.podIP',
        'status.nominatedNodeName',
      ),
      rules: podRules,
      empty: { spec: { containers: null }, status: {} },
    }),
    builtin({ plural: 'secrets', kind: 'Secret', selectable: fields('type'), rules: secretRules }),
    builtin({
      group: 'apps',
      plural: 'controllerrevisions',
      kind: 'ControllerRevision',
      rules: controllerRevisionRules,
    }),
    builtin({
      group: 'events.k8s.io',
      plural: 'events',
      kind: 'Event',
      shortNames: ['ev'],
      storageGroup: '',
      selectable: fields(...EVENT_FIELDS, ...OBJECT_FIELDS.map((field) => `regarding.${field}`)),
      rules: eventRules,
      tableOf: eventToWire,
      empty: EMPTY_EVENT,
    }),
    builtin({
      group: 'coordination.k8s.io',
      plural: 'leases',
      kind: 'Lease',
      unconditionalUpdate: false,
      rules: leaseRules,
      empty: { spec: {} },
    }),
  ];
}

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const EVENT_FIELDS = ['reason', 'type', 'reportingController'];
const OBJECT_FIELDS = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'];

type Described =
  | 'group'
  | 'version'
  | 'singular'
  | 'listKind'
  | 'shortNames'
  | 'categories'
  | 'namespaced'
  | 'verbs';
type Kept =
  | 'storage'
  | 'storageGroup'
  | 'hasStatus'
  | 'hasGeneration'
  | 'unconditionalUpdate'
  | 'nameIsLabel';
type Behaviour = 'selectable' | 'rules' | 'columns' | 'fields' | 'empty' | 'fromWire' | 'toWire' | 'tableOf';
type BuiltinOptions = Pick<Kind, 'plural' | 'kind'> & Partial<Pick<Kind, Described | Kept | Behaviour>>;

export function builtin(options: BuiltinOptions): Kind {
  const group = options.group ?? '';
  const storage = `${group}/${options.plural}`;
  const kind: Kind = {
    group,
    version: 'v1',
    singular: options.kind.toLowerCase(),
    listKind: `${options.kind}List`,
    shortNames: [],
    categories: [],
    namespaced: true,
    verbs: VERBS,
    isCustom: false,
    storage,
    storageGroup: group,
    hasStatus: false,
    hasGeneration: false,
    unconditionalUpdate: true,
    nameIsLabel: false,
    selectable: new Map(),
    columns: BUILTIN_COLUMNS.get(storage) ?? [],
    fields: () => fieldTypeOf(schemaOfKind(group, 'v1', options.kind), builtinType),
    empty: {},
    ...options,
    rules: options.rules ?? {},
  };
  return { ...kind, rules: typedRules(kind), fields: once(kind.fields) };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function fields(...paths: string[]): ReadonlyMap<string, (object: ApiObject) => string> {
  return new Map(paths.map((path) => [path, (object) => stringAt(object, ...path.split('.')) ?? '']));
}

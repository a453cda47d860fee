import { isObject, type Json, type JsonObject, stringAt } from '../json.js';
import type { ApiObject } from '../kinds/kind.js';
import { since } from './age.js';
import { type Column, column, wide } from './column.js';
import { nameColumn } from './custom-columns.js';
import { podColumns } from './pod-columns.js';

const age = (): Column => column('Age', (object, now) => since(object.metadata['creationTimestamp'], now));
const text =
  (...path: string[]) =>
  (object: ApiObject): Json =>
    stringAt(object, ...path) ?? '';
const or =
  (fallback: string, ...path: string[]) =>
  (object: ApiObject): Json =>
    stringAt(object, ...path) || fallback;
const entriesIn =
  (...fields: string[]) =>
  (object: ApiObject): Json =>
    fields.reduce((sum, field) => sum + (isObject(object[field]) ? Object.keys(object[field]).length : 0), 0);

/** `group/plural` → what kubectl get shows. */
export const BUILTIN_COLUMNS: ReadonlyMap<string, readonly Column[]> = new Map<string, readonly Column[]>([
  ['/pods', podColumns],
  ['/namespaces', [nameColumn(), column('Status', text('status', 'phase')), age()]],
  ['/configmaps', [nameColumn(), column('Data', entriesIn('data', 'binaryData')), age()]],
  ['/secrets', [nameColumn(), column('Type', text('type')), column('Data', entriesIn('data')), age()]],
  ['/nodes', nodeColumns()],
  ['/events', eventColumns()],
  ['events.k8s.io/events', eventColumns()],
  ['coordination.k8s.io/leases', [nameColumn(), column('Holder', text('spec', 'holderIdentity')), age()]],
  [
    'apps/controllerrevisions',
    [
      nameColumn(),
      column('Controller', controllerOf),
      column('Revision', (revision) => revision['revision'] ?? 0),
      age(),
    ],
  ],
  [
    'apiextensions.k8s.io/customresourcedefinitions',
    [nameColumn(), column('Created At', text('metadata', 'creationTimestamp'), { type: 'date' })],
  ],
]);

function nodeColumns(): Column[] {
  const info = (name: string, fallback = '<unknown>') => or(fallback, 'status', 'nodeInfo', name);
  return [
    nameColumn(),
    column('Status', nodeStatus),
    column('Roles', nodeRoles),
    age(),
    column('Version', (node) => stringAt(node, 'status', 'nodeInfo', 'kubeletVersion') ?? ''),
    wide('Internal-IP', addressOf('InternalIP')),
    wide('External-IP', addressOf('ExternalIP')),
    wide('OS-Image', info('osImage')),
    wide('Kernel-Version', (node) => {
      const architecture = stringAt(node, 'status', 'nodeInfo', 'architecture') ?? '';
      const kernel = String(info('kernelVersion')(node));
      return architecture === '' ? kernel : `${kernel} (${architecture})`;
    }),
    wide('Container-Runtime', info('containerRuntimeVersion')),
  ];
}

function nodeStatus(node: ApiObject): Json {
  const ready = objects(at(node, 'status', 'conditions')).find((condition) => condition['type'] === 'Ready');
  const words = [ready === undefined ? 'Unknown' : ready['status'] === 'True' ? 'Ready' : 'NotReady'];
  if (at(node, 'spec', 'unschedulable') === true) words.push('SchedulingDisabled');
  return words.join(',');
}

function nodeRoles(node: ApiObject): Json {
  const labels = isObject(node.metadata['labels']) ? node.metadata['labels'] : {};
  const roles = Object.entries(labels).flatMap(([name, value]) => {
    if (name.startsWith('node-role.kubernetes.io/')) return [name.slice('node-role.kubernetes.io/'.length)];
    return name === 'kubernetes.io/role' && value !== '' ? [String(value)] : [];
  });
  return roles.length === 0 ? '<none>' : roles.sort().join(',');
}

function addressOf(type: string): Column['cell'] {
  return (node) => {
    const found = objects(at(node, 'status', 'addresses')).find((address) => address['type'] === type);
    return typeof found?.['address'] === 'string' ? found['address'] : '<none>';
  };
}

/** Of the form of core/v1, whichever group asks. */
function eventColumns(): Column[] {
  return [
    column('Last Seen', (event, now) => since(lastSeen(event), now)),
    column('Type', text('type')),
    column('Reason', text('reason')),
    column('Object', (event) => {
      const kind = stringAt(event, 'involvedObject', 'kind') ?? '';
      const name = stringAt(event, 'involvedObject', 'name') ?? '';
      return name === '' ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`;
    }),
    wide('Subobject', text('involvedObject', 'fieldPath')),
    wide('Source', sourceOf),
    column('Message', (event) => (stringAt(event, 'message') ?? '').trim()),
    wide('First Seen', (event, now) => since(stringAt(event, 'firstTimestamp') ?? event['eventTime'], now)),
    wide('Count', (event) => {
      const series = at(event, 'series', 'count');
      if (typeof series === 'number') return series;
      const count = event['count'];
      return typeof count === 'number' && count > 0 ? count : 1;
    }),
    nameColumn(1),
  ];
}

function lastSeen(event: ApiObject): Json | undefined {
  return (
    at(event, 'series', 'lastObservedTime') ??
    stringAt(event, 'lastTimestamp') ??
    stringAt(event, 'firstTimestamp') ??
    event['eventTime']
  );
}

function sourceOf(event: ApiObject): Json {
  const component = stringAt(event, 'source', 'component') || (stringAt(event, 'reportingComponent') ?? '');
  const host = stringAt(event, 'source', 'host') || (stringAt(event, 'reportingInstance') ?? '');
  return host === '' ? component : `${component}, ${host}`;
}

function controllerOf(object: ApiObject): Json {
  const owner = objects(object.metadata['ownerReferences']).find(
    (reference) => reference['controller'] === true,
  );
  if (owner === undefined) return '<none>';
  const [group = ''] = String(owner['apiVersion']).includes('/')
    ? String(owner['apiVersion']).split('/')
    : [];
  const kind = String(owner['kind']).toLowerCase();
  return `${group === '' ? kind : `${kind}.${group}`}/${String(owner['name'])}`;
}

const objects = (value: Json | undefined): JsonObject[] =>
  Array.isArray(value) ? value.filter(isObject) : [];

function at(value: JsonObject, ...path: string[]): Json | undefined {
  return path.reduce<Json | undefined>((here, name) => (isObject(here) ? here[name] : undefined), value);
}

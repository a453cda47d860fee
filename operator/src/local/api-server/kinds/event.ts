import { type FieldError, fieldError } from '../field-errors.js';
import type { Json, JsonObject } from '../json.js';
import type { ApiObject, KindRules } from './kind.js';

/** core/v1 name → events.k8s.io/v1 name. The two kinds are views of the same objects. */
const RENAMED: readonly (readonly [string, string])[] = [
  ['message', 'note'],
  ['involvedObject', 'regarding'],
  ['source', 'deprecatedSource'],
  ['count', 'deprecatedCount'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['reportingComponent', 'reportingController'],
];

/** What an event shows in either form, also where there is nothing. */
export const EMPTY_EVENT: JsonObject = {
  eventTime: null,
  regarding: {},
  deprecatedSource: {},
  deprecatedFirstTimestamp: null,
  deprecatedLastTimestamp: null,
};
export const EMPTY_CORE_EVENT: JsonObject = {
  involvedObject: {},
  source: {},
  firstTimestamp: null,
  lastTimestamp: null,
  eventTime: null,
  reportingComponent: '',
  reportingInstance: '',
};

export const eventRules: KindRules = {
  admit: (event) => ({ ...EMPTY_EVENT, ...event }) as ApiObject,
  validate: validateEvent,
};

export function eventFromWire(event: ApiObject): ApiObject {
  // Empty texts are nothing, in this form.
  const given = Object.entries(rename(event, RENAMED)).filter(([, value]) => value !== '');
  return {
    ...Object.fromEntries(given),
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: event.metadata,
  };
}

export function eventToWire(event: ApiObject): ApiObject {
  const back = RENAMED.map(([core, events]) => [events, core] as const);
  const renamed = rename(event, back);
  return { ...EMPTY_CORE_EVENT, ...renamed, apiVersion: 'v1', kind: 'Event', metadata: event.metadata };
}

function rename(event: ApiObject, names: readonly (readonly [string, string])[]): JsonObject {
  const map = new Map(names);
  return Object.fromEntries(
    Object.entries(event).map(([name, value]: [string, Json]) => [map.get(name) ?? name, value]),
  );
}

/** New-style events (those with eventTime) must be complete; old-style ones are taken as they come. */
export function validateEvent(event: ApiObject): FieldError[] {
  if (event['eventTime'] === undefined || event['eventTime'] === null) return [];
  const errors: FieldError[] = [];
  for (const [field, limit] of [
    ['reportingController', 253],
    ['reportingInstance', 128],
    ['action', 128],
    ['reason', 128],
  ] as const) {
    const value = event[field];
    if (typeof value !== 'string' || value === '') errors.push(fieldError.required(field));
    else if (value.length > limit) errors.push(fieldError.tooLong(field, limit));
  }
  if (event['type'] !== 'Normal' && event['type'] !== 'Warning') {
    errors.push(fieldError.unsupported('type', event['type'] ?? '', ['Normal', 'Warning']));
  }
  const note = event['note'];
  if (typeof note === 'string' && Buffer.byteLength(note) > 1024)
    errors.push(fieldError.tooLong('note', 1024));
  return errors;
}

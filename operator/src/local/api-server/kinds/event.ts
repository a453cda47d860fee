import { type FieldError, fieldError } from '../field-errors.js';
import type { Json, JsonObject } from '../json.js';
import type { ApiObject } from './kind.js';

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

export function eventFromWire(event: ApiObject): ApiObject {
  return {
    ...rename(event, RENAMED),
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: event.metadata,
  };
}

export function eventToWire(event: ApiObject): ApiObject {
  const back = RENAMED.map(([core, events]) => [events, core] as const);
  return { ...rename(event, back), apiVersion: 'v1', kind: 'Event', metadata: event.metadata };
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

import { deepEqual, isObject, type Json, type JsonObject } from '../json.js';
import { FieldSet } from './field-set.js';

/** One entry of metadata.managedFields. */
export interface Manager {
  readonly name: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string | undefined;
  readonly set: FieldSet;
}

export type Managers = ReadonlyMap<string, Manager>;

/** Who applies is the same in every version; who updates is another one in each. */
export function identityOf({
  name,
  operation,
  apiVersion,
  subresource,
}: Omit<Manager, 'time' | 'set'>): string {
  return JSON.stringify([name, operation, operation === 'Apply' ? '' : apiVersion, subresource]);
}

/** Undefined when the entries are none that could be kept. */
export function readManagers(entries: Json | undefined): Managers | undefined {
  const managers = new Map<string, Manager>();
  for (const entry of Array.isArray(entries) ? entries : []) {
    if (!isObject(entry)) return undefined;
    const { manager = '', operation, apiVersion, fieldsType, subresource = '', time } = entry;
    if (operation !== 'Apply' && operation !== 'Update') return undefined;
    if (typeof apiVersion !== 'string' || apiVersion === '' || fieldsType !== 'FieldsV1') return undefined;
    const read: Manager = {
      name: String(manager),
      operation,
      apiVersion,
      subresource: String(subresource),
      time: typeof time === 'string' ? time : undefined,
      set: FieldSet.fromJson(entry['fieldsV1'] ?? {}),
    };
    managers.set(identityOf(read), read);
  }
  return managers;
}

/** An empty list, or a list of one empty entry, says: forget who manages what. */
export function isReset(entries: Json | undefined): boolean {
  if (!Array.isArray(entries)) return false;
  return entries.length === 0 || (entries.length === 1 && deepEqual(entries[0], {}));
}

/** Those who apply first, then by age. */
export function writeManagers(managers: Managers): JsonObject[] {
  const order = (a: Manager, b: Manager) =>
    text(a.operation, b.operation) ||
    text(a.time ?? '', b.time ?? '') ||
    text(a.name, b.name) ||
    text(a.apiVersion, b.apiVersion) ||
    text(a.subresource, b.subresource);
  return [...managers.values()]
    .sort(order)
    .map(({ name, operation, apiVersion, subresource, time, set }) => ({
      manager: name,
      operation,
      apiVersion,
      ...(time === undefined ? {} : { time }),
      fieldsType: 'FieldsV1',
      fieldsV1: set.toJson(),
      ...(subresource === '' ? {} : { subresource }),
    }));
}

function text(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

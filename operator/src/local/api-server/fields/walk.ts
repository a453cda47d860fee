import { isObject, type Json, type JsonObject } from '../json.js';
import type { FieldType, ListType, MapType } from './field-type.js';
import { keyStep, type Step, valueStep } from './path.js';

/** A value that does not fit its type; `path` as messages show it. */
export class FieldTypeError extends Error {
  constructor(path: string, problem: string) {
    super(`${path}: ${problem}`);
    this.name = 'FieldTypeError';
  }
}

/** The one shape that a value has of those that its type allows; null has any. */
export type Shape =
  | { readonly map: MapType }
  | { readonly list: ListType }
  | { readonly scalar: true }
  | undefined;

export function shapeOf(type: FieldType, value: Json | undefined): Shape {
  if (Array.isArray(value) && type.list !== undefined) return { list: type.list };
  if (isObject(value) && type.map !== undefined) return { map: type.map };
  if (value !== undefined && value !== null && !Array.isArray(value) && !isObject(value) && type.scalar)
    return { scalar: true };
  if (type.map !== undefined) return { map: type.map };
  if (type.scalar) return { scalar: true };
  return type.list === undefined ? undefined : { list: type.list };
}

/** How an item of a list set or list map is called; undefined when it has no name. */
export function stepOf(list: ListType, item: Json): Step | undefined {
  if (list.relation === 'set')
    return isObject(item) || Array.isArray(item) || item === null ? undefined : valueStep(item);
  if (!isObject(item)) return undefined;
  const keys: JsonObject = {};
  for (const key of list.keys) {
    const value = item[key] ?? list.element.map?.defaults.get(key);
    if (value !== undefined) keys[key] = value;
  }
  return Object.keys(keys).length === 0 ? undefined : keyStep(keys);
}

export function fieldOf(map: MapType, name: string): FieldType | undefined {
  return map.fields.get(name) ?? map.element;
}

export const isEmptyMap = (value: Json | undefined): boolean =>
  !isObject(value) || Object.keys(value).length === 0;
export const isEmptyList = (value: Json | undefined): boolean => !Array.isArray(value) || value.length === 0;

import { at } from '../field-errors.js';
import { isObject, type Json, type JsonObject } from '../json.js';
import type { SchemaNode } from './structural.js';

/** What an embedded resource, and every object at its root, may have without its schema saying so. */
const RESOURCE_FIELDS = new Set(['apiVersion', 'kind', 'metadata']);

/**
 * A copy of `value` without the fields that the schema does not know, with defaults filled in and with nulls of
 * fields that are not nullable taken out, in the order in which the API server does it. `unknown` collects the
 * paths of what was dropped.
 */
export function admit(node: SchemaNode, value: Json, path: string, unknown: string[], root = false): Json {
  if (Array.isArray(value)) {
    const { items } = node;
    return items === undefined
      ? value
      : value.map((item, index) => admit(items, item, at.index(path, index), unknown));
  }
  if (!isObject(value)) return value;
  const result: JsonObject = {};
  for (const [name, inner] of Object.entries(value)) {
    const property = node.properties.get(name);
    if (property !== undefined) {
      // A null is "not given" unless the field is nullable; then a default may take its place, below.
      if (inner === null && !property.nullable) continue;
      // The root's metadata has a reader of its own.
      result[name] =
        root && name === 'metadata' ? inner : admit(property, inner, at.child(path, name), unknown);
    } else if ((root || node.embeddedResource) && RESOURCE_FIELDS.has(name)) {
      result[name] = inner;
    } else if (node.additional !== undefined) {
      result[name] =
        node.additional === true ? inner : admit(node.additional, inner, at.key(path, name), unknown);
    } else if (node.preserveUnknown) {
      result[name] = inner;
    } else {
      unknown.push(at.child(path, name));
    }
  }
  for (const [name, property] of node.properties) {
    if (property.default === undefined || result[name] !== undefined) continue;
    result[name] = admit(property, structuredClone(property.default), at.child(path, name), unknown);
  }
  return result;
}

import { at, type FieldError, fieldError } from '../field-errors.js';
import { deepEqual, isObject, type JsonObject } from '../json.js';
import type { ApiObject, KindRules } from './kind.js';

/** ConfigMaps and Secrets. */

const CONFIG_KEY = /^[-._a-zA-Z0-9]+$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export const configMapRules: KindRules = {
  validate: (object, old) => [
    ...dataErrors(object, 'data'),
    ...dataErrors(object, 'binaryData'),
    ...immutableErrors(object, old),
  ],
};

export const secretRules: KindRules = {
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

import { badRequest } from '../api-error.js';
import { at, type FieldError, fieldError } from '../field-errors.js';
import { deepEqual, isObject, type Json, type JsonObject } from '../json.js';
import type { ApiObject, Kind } from './kind.js';

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL_NAME = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const ANNOTATIONS_LIMIT = 256 * 1024;

const SUBDOMAIN_TEXT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an " +
  "alphanumeric character (e.g. 'example.com', regex used for validation is " +
  "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_TEXT =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an " +
  "alphanumeric character (e.g. 'my-name', or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

type Shape = 'string' | 'integer' | 'strings' | 'map' | 'owners' | 'managers' | 'ignored';

const SHAPES: Readonly<Record<string, Shape>> = {
  name: 'string',
  generateName: 'string',
  namespace: 'string',
  uid: 'string',
  resourceVersion: 'string',
  generation: 'integer',
  creationTimestamp: 'string',
  deletionTimestamp: 'string',
  deletionGracePeriodSeconds: 'integer',
  labels: 'map',
  annotations: 'map',
  finalizers: 'strings',
  ownerReferences: 'owners',
  managedFields: 'managers',
  selfLink: 'ignored',
};

/** Metadata as a Go decoder would read it: wrong types are a 400, unknown fields are dropped and named. */
export function readMeta(value: Json | undefined, unknown: string[]): JsonObject {
  if (value === undefined || value === null) return {};
  if (!isObject(value)) throw badRequest('metadata must be an object');
  const result: JsonObject = {};
  for (const [name, inner] of Object.entries(value)) {
    const shape = Object.hasOwn(SHAPES, name) ? SHAPES[name] : undefined;
    if (shape === undefined) unknown.push(`metadata.${name}`);
    else if (shape !== 'ignored' && inner !== null) {
      const problem = misshapen(shape, inner);
      if (problem !== undefined)
        throw badRequest(`metadata.${name} must be ${problem}, got ${JSON.stringify(inner)}`);
      if (inner !== '') result[name] = inner;
    }
  }
  return result;
}

function misshapen(shape: Shape, value: Json): string | undefined {
  switch (shape) {
    case 'string':
      return typeof value === 'string' ? undefined : 'a string';
    case 'integer':
      return Number.isSafeInteger(value) ? undefined : 'an integer';
    case 'strings':
      return Array.isArray(value) && value.every((item) => typeof item === 'string')
        ? undefined
        : 'a list of strings';
    case 'map':
      return isObject(value) && Object.values(value).every((item) => typeof item === 'string')
        ? undefined
        : 'a map of strings';
    case 'owners':
      return Array.isArray(value) && value.every(isObject) ? undefined : 'a list of owner references';
    case 'managers':
      return Array.isArray(value) && value.every(isObject) ? undefined : 'a list of managers';
    case 'ignored':
      return undefined;
  }
}

export function validateMeta(kind: Kind, object: ApiObject, old: ApiObject | undefined): FieldError[] {
  const { metadata } = object;
  const errors: FieldError[] = [];
  if (old === undefined) {
    const limit = kind.nameIsLabel ? 63 : 253;
    const pattern = kind.nameIsLabel ? DNS_LABEL : DNS_SUBDOMAIN;
    const { name } = metadata;
    if (name.length > limit)
      errors.push(fieldError.invalid('metadata.name', name, `must be no more than ${limit} bytes`));
    else if (!pattern.test(name))
      errors.push(fieldError.invalid('metadata.name', name, kind.nameIsLabel ? LABEL_TEXT : SUBDOMAIN_TEXT));
  }
  errors.push(...labelErrors(metadata['labels']), ...annotationErrors(metadata['annotations']));
  errors.push(...finalizerErrors(object, old), ...ownerErrors(metadata['ownerReferences']));
  return errors;
}

function labelErrors(labels: Json | undefined): FieldError[] {
  if (!isObject(labels)) return [];
  return Object.entries(labels).flatMap(([key, value]) => {
    const errors = qualifiedNameErrors('metadata.labels', key);
    const text = String(value);
    if (text.length > 63 || (text !== '' && !LABEL_NAME.test(text))) {
      errors.push(
        fieldError.invalid(
          'metadata.labels',
          text,
          "a valid label must be an empty string or at most 63 alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
        ),
      );
    }
    return errors;
  });
}

function annotationErrors(annotations: Json | undefined): FieldError[] {
  if (!isObject(annotations)) return [];
  const errors = Object.keys(annotations).flatMap((key) =>
    qualifiedNameErrors('metadata.annotations', key.toLowerCase()),
  );
  if (JSON.stringify(annotations).length > ANNOTATIONS_LIMIT)
    errors.push(fieldError.tooLong('metadata.annotations', ANNOTATIONS_LIMIT));
  return errors;
}

function qualifiedNameErrors(field: string, key: string): FieldError[] {
  const slash = key.indexOf('/');
  const prefix = slash < 0 ? undefined : key.slice(0, slash);
  const name = key.slice(slash + 1);
  const good =
    name.length <= 63 &&
    LABEL_NAME.test(name) &&
    (prefix === undefined || (prefix.length <= 253 && DNS_SUBDOMAIN.test(prefix)));
  if (good) return [];
  return [
    fieldError.invalid(
      field,
      key,
      "a name must be at most 63 alphanumeric characters, '-', '_' or '.', with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
    ),
  ];
}

function finalizerErrors(object: ApiObject, old: ApiObject | undefined): FieldError[] {
  const finalizers = (object.metadata['finalizers'] ?? []) as string[];
  const errors = finalizers.flatMap((name) => qualifiedNameErrors('metadata.finalizers', name));
  if (old?.metadata['deletionTimestamp'] === undefined) return errors;
  const before = (old.metadata['finalizers'] ?? []) as string[];
  const added = finalizers.filter((name) => !before.includes(name));
  if (added.length > 0) {
    const list = added.map((name) => JSON.stringify(name)).join(', ');
    errors.push(
      fieldError.forbidden(
        'metadata.finalizers',
        `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`,
      ),
    );
  }
  return errors;
}

function ownerErrors(owners: Json | undefined): FieldError[] {
  if (!Array.isArray(owners)) return [];
  const errors: FieldError[] = [];
  for (const [index, owner] of owners.entries()) {
    for (const field of ['apiVersion', 'kind', 'name', 'uid']) {
      const value = isObject(owner) ? owner[field] : undefined;
      const path = at.child(at.index('metadata.ownerReferences', index), field);
      if (typeof value !== 'string' || value === '')
        errors.push(fieldError.invalid(path, value ?? '', `${field} must not be empty`));
    }
  }
  if (owners.filter((owner) => isObject(owner) && owner['controller'] === true).length > 1) {
    errors.push(
      fieldError.invalidWhole(
        'metadata.ownerReferences',
        'Only one reference can have Controller set to true',
      ),
    );
  }
  return errors;
}

/** What only the server writes, carried over from the stored object. */
const SERVER_OWNED = [
  'uid',
  'creationTimestamp',
  'generation',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generateName',
];

export function keepServerMeta(object: ApiObject, old: ApiObject): ApiObject {
  const metadata: ApiObject['metadata'] = { ...object.metadata, name: old.metadata.name };
  for (const field of [...SERVER_OWNED, 'namespace', 'resourceVersion']) {
    const value = old.metadata[field];
    if (value === undefined) delete metadata[field];
    else metadata[field] = value;
  }
  return { ...object, metadata };
}

/** Everything but metadata and, where it is a subresource, status: what `generation` counts the changes of. */
export function sameSpec(kind: Kind, a: ApiObject, b: ApiObject): boolean {
  const strip = (object: ApiObject): JsonObject => {
    const { metadata: _, ...rest } = object as JsonObject;
    if (kind.hasStatus) delete rest['status'];
    return rest;
  };
  return deepEqual(strip(a), strip(b));
}

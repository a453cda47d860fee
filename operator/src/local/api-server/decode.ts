import { randomUUID } from 'node:crypto';
import { ApiError, badRequest, conflict, invalid, MODIFIED } from './api-error.js';
import { fieldError } from './field-errors.js';
import { isObject, type Json } from './json.js';
import type { ApiObject, Kind } from './kinds/kind.js';
import { readMeta } from './kinds/meta.js';

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

/** Body → object of the stored form: typed, with clean metadata, defaults in, unknown fields out and named. */
export function decodeObject(
  kind: Kind,
  namespace: string | undefined,
  body: Json,
  unknown: string[],
): ApiObject {
  if (!isObject(body))
    throw badRequest(
      `the object provided is unrecognized (must be of type ${kind.kind}): couldn't get version/kind; it is no JSON object`,
    );
  const apiVersion = apiVersionOf(kind);
  if ((body['apiVersion'] ?? apiVersion) !== apiVersion || (body['kind'] ?? kind.kind) !== kind.kind) {
    const version =
      String(body['apiVersion'] ?? apiVersion)
        .split('/')
        .at(-1) ?? '';
    throw badRequest(
      `${String(body['kind'] ?? kind.kind)} in version "${version}" cannot be handled as a ${kind.kind}: this path takes ${apiVersion}, Kind=${kind.kind}`,
    );
  }
  const metadata = readMeta(body['metadata'], unknown);
  if (kind.namespaced) {
    if (metadata['namespace'] !== undefined && metadata['namespace'] !== namespace) {
      throw badRequest(
        'the namespace of the provided object does not match the namespace sent on the request',
      );
    }
    if (namespace !== undefined) metadata['namespace'] = namespace;
  } else delete metadata['namespace'];
  const named = { ...metadata, name: (metadata['name'] as string | undefined) ?? '' };
  const { apiVersion: _version, kind: _kind, metadata: _metadata, ...fields } = body;
  // A null is the same as nothing to a Go decoder.
  const rest = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
  const object: ApiObject = { apiVersion, kind: kind.kind, metadata: named, ...rest };
  const stored = kind.fromWire?.(object) ?? object;
  return kind.rules.admit?.(stored, unknown) ?? stored;
}

export function apiVersionOf(kind: Pick<Kind, 'group' | 'version'>): string {
  return kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
}

/** The stored object as this version of its kind shows it. */
export function toWire(kind: Kind, object: ApiObject): ApiObject {
  if (kind.toWire !== undefined) return kind.toWire(object);
  const apiVersion = apiVersionOf(kind);
  return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
}

/** Warnings about unknown fields, or a refusal, or neither: as the client asked with fieldValidation. */
export function judgeUnknown(
  kind: Kind,
  unknown: readonly string[],
  fieldValidation: FieldValidation,
  _body?: Json,
): string[] {
  if (unknown.length === 0 || fieldValidation === 'Ignore') return [];
  const problems = problemsOf(unknown);
  if (fieldValidation === 'Warn') return problems;
  throw badRequest(
    `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: strict decoding error: ${problems.join(', ')}`,
  );
}

/** As `judgeUnknown`; what a patch made is refused as a whole. */
export function judgePatched(
  _kind: Kind,
  unknown: readonly string[],
  fieldValidation: FieldValidation,
  body: Json = null,
): string[] {
  if (unknown.length === 0 || fieldValidation === 'Ignore') return [];
  const problems = problemsOf(unknown);
  if (fieldValidation === 'Warn') return problems;
  const message = `Invalid value: ${JSON.stringify(JSON.stringify(body))}: strict decoding error: ${problems.join(', ')}`;
  throw new ApiError(422, 'Invalid', ` "" is invalid: patch: ${message}`, {
    causes: [{ reason: 'FieldValueInvalid', message, field: 'patch' }],
  });
}

function problemsOf(unknown: readonly string[]): string[] {
  return [...new Set(unknown)].map((path) => `unknown field "${path}"`);
}

/** The write is meant for this very object, in the state that it is in. */
export function checkIdentity(kind: Kind, object: ApiObject, old: ApiObject): void {
  const { metadata } = object;
  const { name } = old.metadata;
  if (metadata.name !== '' && metadata.name !== name) {
    throw badRequest(
      `the name of the object (${metadata.name}) does not match the name on the URL (${name})`,
    );
  }
  if (metadata['uid'] !== undefined && metadata['uid'] !== old.metadata['uid']) {
    const uids = `UID in precondition: ${String(metadata['uid'])}, UID in object meta: ${String(old.metadata['uid'])}`;
    throw conflict(kind, name, `Precondition failed: ${uids}`);
  }
  const version = metadata['resourceVersion'];
  if (version === undefined) {
    if (kind.unconditionalUpdate) return;
    throw invalid(kind, name, [
      fieldError.invalid('metadata.resourceVersion', 0, 'must be specified for an update'),
    ]);
  }
  if (version !== old.metadata['resourceVersion']) throw conflict(kind, name, MODIFIED);
}

/** With its name, or one made from generateName. */
export function withName(kind: Kind, object: ApiObject): ApiObject {
  const { name, generateName } = object.metadata;
  if (name !== '') return object;
  if (typeof generateName !== 'string') {
    throw invalid(kind, '', [fieldError.required('metadata.name', 'name or generateName is required')]);
  }
  return { ...object, metadata: { ...object.metadata, name: generateName.slice(0, 58) + randomSuffix() } };
}

/** Without vowels and look-alikes, as Kubernetes does it. */
const SUFFIX_LETTERS = 'bcdfghjklmnpqrstvwxz2456789';

function randomSuffix(): string {
  const digits = randomUUID().replaceAll('-', '');
  const letter = (index: number) =>
    SUFFIX_LETTERS[Number.parseInt(digits.slice(index * 4, index * 4 + 4), 16) % SUFFIX_LETTERS.length];
  return Array.from({ length: 5 }, (_, index) => letter(index)).join('');
}

import { randomUUID } from 'node:crypto';
import { applyPatch, type Operation } from 'rfc6902';
import { timestamp } from '../../kube/conditions.js';
import { ApiError, badRequest, invalid } from './api-error.js';
import { isObject, type Json, mergePatch } from './json.js';
import type { ApiObject, Kind } from './kinds/kind.js';
import { sameSpec, validateMeta } from './kinds/meta.js';

/** The steps of a write, each from one state of an object to the next. */

/** A change to a part of an object; which part is the subresource's affair. */
export type Patch =
  | { readonly type: 'merge'; readonly patch: Json }
  | { readonly type: 'json'; readonly patch: Json };

export function patched(object: ApiObject, { type, patch }: Patch): Json {
  if (type === 'merge') {
    if (!isObject(patch)) throw badRequest('a merge patch must be a JSON object');
    return mergePatch(object, patch);
  }
  if (!Array.isArray(patch)) throw badRequest('a JSON patch must be a list of operations');
  const copy = structuredClone(object) as Json;
  const problem = applyPatch(copy, patch as unknown as Operation[]).find((error) => error !== null);
  // As the real server, which does not say which operation it was.
  if (problem !== undefined)
    throw new ApiError(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
  return copy;
}

/** Something still has to happen before it may go. */
export function isHeld(kind: Kind, object: ApiObject): boolean {
  const { deletionGracePeriodSeconds, finalizers } = object.metadata;
  if (Array.isArray(finalizers) && finalizers.length > 0) return true;
  return (deletionGracePeriodSeconds ?? 0) !== 0 || kind.rules.isGone?.(object) === false;
}

/** An apply is bound to a version only when its configuration names one. */
export function withVersionOf(decoded: ApiObject, configuration: ApiObject, old: ApiObject): ApiObject {
  const resourceVersion = configuration.metadata['resourceVersion'] ?? old.metadata['resourceVersion'] ?? '';
  return { ...decoded, metadata: { ...decoded.metadata, resourceVersion } };
}

/** With what the server gives to every new object, and without what only it may give. */
export function asNew(kind: Kind, decoded: ApiObject): ApiObject {
  const {
    deletionTimestamp: _at,
    deletionGracePeriodSeconds: _grace,
    generation: _generation,
    ...metadata
  } = decoded.metadata;
  const object: ApiObject = {
    ...decoded,
    metadata: {
      ...(metadata as ApiObject['metadata']),
      uid: randomUUID(),
      creationTimestamp: timestamp(new Date()),
      ...(kind.hasGeneration ? { generation: 1 } : {}),
    },
  };
  if (kind.hasStatus) delete object['status'];
  const admitted = kind.rules.mutate?.(object) ?? object;
  return kind.rules.create?.(admitted) ?? admitted;
}

export function withField(object: ApiObject, field: string, value: Json | undefined): ApiObject {
  const { [field]: _before, ...rest } = object;
  return (value === undefined ? rest : { ...rest, [field]: value }) as ApiObject;
}

export function withGeneration(kind: Kind, object: ApiObject, old: ApiObject): ApiObject {
  if (!kind.hasGeneration || sameSpec(kind, object, old)) return object;
  return {
    ...object,
    metadata: { ...object.metadata, generation: Number(old.metadata['generation'] ?? 0) + 1 },
  };
}

export function validate(kind: Kind, object: ApiObject, old: ApiObject | undefined): void {
  const errors = [...validateMeta(kind, object, old), ...(kind.rules.validate?.(object, old) ?? [])];
  if (errors.length > 0) throw invalid(kind, object.metadata.name, errors);
}

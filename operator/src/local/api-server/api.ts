import { randomUUID } from 'node:crypto';
import { timestamp } from '../../kube/conditions.js';
import { alreadyExists, badRequest, conflict, forbidden, invalid, notFound } from './api-error.js';
import {
  checkIdentity,
  decodeObject,
  type FieldValidation,
  judgeUnknown,
  toWire,
  withName,
} from './decode.js';
import { deepEqual, isObject, type Json, mergePatch, stringAt } from './json.js';
import { crdKind } from './kinds/crd.js';
import type { ApiObject, Kind } from './kinds/kind.js';
import { keepServerMeta, sameSpec, validateMeta } from './kinds/meta.js';
import { bind } from './kinds/pod.js';
import { type Page, Pages } from './pages.js';
import { Registry } from './registry.js';
import { selectorOf } from './selectors.js';
import { keyOfObject, Storage, storageKey } from './storage.js';

export interface WriteOptions {
  readonly fieldValidation: FieldValidation;
  readonly dryRun: boolean;
}

export interface WriteResult {
  readonly object: ApiObject;
  /** For Warning headers. */
  readonly warnings: readonly string[];
}

export interface DeleteWish {
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly graceSeconds?: number;
  readonly dryRun: boolean;
}

export interface DeleteResult {
  readonly object: ApiObject;
  /** False while finalizers, grace or content hold it. */
  readonly gone: boolean;
}

type Namespace = string | undefined;

/** The verbs of the API on the storage. Everything here is synchronous: one request is one step. */
export class Api {
  readonly storage: Storage;
  readonly registry = new Registry();
  readonly #pages = new Pages();

  constructor(storage: Storage = new Storage()) {
    this.storage = storage;
  }

  get(kind: Kind, namespace: Namespace, name: string): ApiObject {
    return toWire(kind, this.#stored(kind, namespace, name));
  }

  list(kind: Kind, namespace: Namespace, query: URLSearchParams): Page {
    const limit = Number(query.get('limit') ?? 0);
    const token = query.get('continue') ?? '';
    if (token !== '') return this.#pages.next(token, limit);
    const matches = selectorOf(kind, query);
    const items = this.storage
      .list(kind.storage)
      .filter((object) => namespace === undefined || object.metadata['namespace'] === namespace)
      .map((object) => toWire(kind, object))
      .filter(matches);
    return this.#pages.first({ items, version: String(this.storage.version) }, limit);
  }

  create(kind: Kind, namespace: Namespace, body: Json, options: WriteOptions): WriteResult {
    const unknown: string[] = [];
    const decoded = decodeObject(kind, namespace, body, unknown);
    if (decoded.metadata['resourceVersion'] !== undefined) {
      throw badRequest('resourceVersion should not be set on objects to be created');
    }
    if (kind.namespaced) this.#requireNamespace(kind, decoded);
    const object = asNew(kind, withName(kind, decoded));
    const warnings = judgeUnknown(kind, unknown, options.fieldValidation);
    validate(kind, object, undefined);
    if (this.storage.get(kind.storage, keyOfObject(object)) !== undefined)
      throw alreadyExists(kind, object.metadata.name);
    if (options.dryRun) return { object: toWire(kind, object), warnings };
    if (kind === crdKind) this.registry.define(object);
    return { object: toWire(kind, this.storage.put(kind.storage, object)), warnings };
  }

  replace(kind: Kind, namespace: Namespace, name: string, body: Json, options: WriteOptions): WriteResult {
    return this.#update(kind, this.#stored(kind, namespace, name), body, options);
  }

  replaceStatus(
    kind: Kind,
    namespace: Namespace,
    name: string,
    body: Json,
    options: WriteOptions,
  ): WriteResult {
    return this.#updateStatus(kind, this.#stored(kind, namespace, name), body, options);
  }

  /** RFC 7386 on the stored object; with metadata.resourceVersion in the patch only on that very version. */
  patch(
    kind: Kind,
    namespace: Namespace,
    name: string,
    patch: Json,
    status: boolean,
    options: WriteOptions,
  ): WriteResult {
    if (!isObject(patch)) throw badRequest('a merge patch must be a JSON object');
    const old = this.#stored(kind, namespace, name);
    const body = mergePatch(toWire(kind, old), patch);
    return status ? this.#updateStatus(kind, old, body, options) : this.#update(kind, old, body, options);
  }

  bindPod(kind: Kind, namespace: string, name: string, body: Json): void {
    const pod = this.#stored(kind, namespace, name);
    const node = stringAt(body, 'target', 'name');
    if (node === undefined || node === '') throw badRequest('target.name: Required value');
    const bound = stringAt(pod, 'spec', 'nodeName');
    if (bound !== undefined) throw conflict(kind, name, `pod ${name} is already assigned to node "${bound}"`);
    if (pod.metadata['deletionTimestamp'] !== undefined) {
      throw conflict(kind, name, `pod ${name} is being deleted, cannot be assigned to a host`);
    }
    this.storage.put(kind.storage, bind(pod, node, new Date()));
  }

  delete(kind: Kind, namespace: Namespace, name: string, wish: DeleteWish): DeleteResult {
    const object = this.#stored(kind, namespace, name);
    checkPreconditions(kind, object, wish);
    const refusal = kind.rules.refuseDelete?.(object);
    if (refusal !== undefined) throw forbidden(kind, name, refusal);
    if (wish.dryRun) return { object: toWire(kind, object), gone: false };
    const marked = markDeleted(kind, object, wish.graceSeconds);
    // On its way already: asking again is no change.
    if (marked === object) return { object: toWire(kind, object), gone: false };
    const result = this.#settle(kind, marked);
    return { object: toWire(kind, result.object), gone: result.gone };
  }

  /** For the collectors: as a client's delete, with nobody to answer. */
  deleteQuietly(collection: string, object: ApiObject): void {
    const kind = this.registry.ofStorage(collection);
    const current = this.storage.get(collection, keyOfObject(object));
    if (kind === undefined || current === undefined || current.metadata['uid'] !== object.metadata['uid'])
      return;
    if (current.metadata['deletionTimestamp'] !== undefined) return;
    this.#settle(kind, markDeleted(kind, current, undefined));
  }

  /** For the collectors: a change that no client asked for; removes the object when that was all it waited for. */
  amend(collection: string, object: ApiObject): void {
    const kind = this.registry.ofStorage(collection);
    if (kind !== undefined) this.#settle(kind, object);
  }

  #update(kind: Kind, old: ApiObject, body: Json, options: WriteOptions): WriteResult {
    const unknown: string[] = [];
    const decoded = decodeObject(kind, old.metadata['namespace'] as Namespace, body, unknown);
    checkIdentity(kind, decoded, old);
    const kept = keepServerMeta(decoded, old);
    const withStatus = kind.hasStatus ? withField(kept, 'status', old['status']) : kept;
    const object = withGeneration(kind, kind.rules.update?.(withStatus, old) ?? withStatus, old);
    const warnings = judgeUnknown(kind, unknown, options.fieldValidation);
    validate(kind, object, old);
    return { object: this.#write(kind, object, old, options), warnings };
  }

  #updateStatus(kind: Kind, old: ApiObject, body: Json, options: WriteOptions): WriteResult {
    const unknown: string[] = [];
    const decoded = decodeObject(kind, old.metadata['namespace'] as Namespace, body, unknown);
    checkIdentity(kind, decoded, old);
    const object = withField(old, 'status', decoded['status']);
    const warnings = judgeUnknown(kind, unknown, options.fieldValidation);
    const errors = (kind.rules.validateStatus ?? kind.rules.validate)?.(object, old) ?? [];
    if (errors.length > 0) throw invalid(kind, old.metadata.name, errors);
    return { object: this.#write(kind, object, old, options), warnings };
  }

  /** A write that changes nothing is no write: no new version, no event. */
  #write(kind: Kind, object: ApiObject, old: ApiObject, options: WriteOptions): ApiObject {
    if (options.dryRun || deepEqual(object, old)) return toWire(kind, object);
    if (kind === crdKind) this.registry.define(object);
    return toWire(kind, this.#settle(kind, object).object);
  }

  /** Stores the object, or removes it when it was to be deleted and nothing holds it any more. */
  #settle(kind: Kind, object: ApiObject): DeleteResult {
    const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = object.metadata;
    const held =
      (Array.isArray(finalizers) && finalizers.length > 0) || (deletionGracePeriodSeconds ?? 0) !== 0;
    if (deletionTimestamp === undefined || held || kind.rules.isGone?.(object) === false) {
      return { object: this.storage.put(kind.storage, object), gone: false };
    }
    if (kind === crdKind) this.registry.undefine(object);
    return { object: this.storage.remove(kind.storage, object), gone: true };
  }

  #stored(kind: Kind, namespace: Namespace, name: string): ApiObject {
    const object = this.storage.get(kind.storage, storageKey(namespace, name));
    if (object === undefined) throw notFound(kind, name);
    return object;
  }

  #requireNamespace(kind: Kind, object: ApiObject): void {
    const namespaces = this.registry.find('', 'v1', 'namespaces');
    const name = String(object.metadata['namespace']);
    const namespace = this.storage.get(namespaces.storage, name);
    if (namespace === undefined) throw notFound(namespaces, name);
    if (namespace.metadata['deletionTimestamp'] === undefined) return;
    const why = `unable to create new content in namespace ${name} because it is being terminated`;
    throw forbidden(kind, object.metadata.name, why);
  }
}

/** With what the server gives to every new object, and without what only it may give. */
function asNew(kind: Kind, decoded: ApiObject): ApiObject {
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
  return kind.rules.create?.(object) ?? object;
}

function withField(object: ApiObject, field: string, value: Json | undefined): ApiObject {
  const { [field]: _before, ...rest } = object;
  return (value === undefined ? rest : { ...rest, [field]: value }) as ApiObject;
}

function withGeneration(kind: Kind, object: ApiObject, old: ApiObject): ApiObject {
  if (!kind.hasGeneration || sameSpec(kind, object, old)) return object;
  return {
    ...object,
    metadata: { ...object.metadata, generation: Number(old.metadata['generation'] ?? 0) + 1 },
  };
}

function validate(kind: Kind, object: ApiObject, old: ApiObject | undefined): void {
  const errors = [...validateMeta(kind, object, old), ...(kind.rules.validate?.(object, old) ?? [])];
  if (errors.length > 0) throw invalid(kind, object.metadata.name, errors);
}

function checkPreconditions(kind: Kind, { metadata }: ApiObject, wish: DeleteWish): void {
  const { uid, resourceVersion, name } = metadata;
  if (wish.uid !== undefined && wish.uid !== uid) {
    throw conflict(
      kind,
      name,
      `Precondition failed: UID in precondition: ${wish.uid}, UID in object meta: ${String(uid)}`,
    );
  }
  if (wish.resourceVersion !== undefined && wish.resourceVersion !== resourceVersion) {
    const versions = `ResourceVersion in precondition: ${wish.resourceVersion}, ResourceVersion in object meta: ${String(resourceVersion)}`;
    throw conflict(kind, name, `Precondition failed: ${versions}`);
  }
}

/** With the time of its deletion; the object itself when it had that already and no less grace. */
function markDeleted(kind: Kind, object: ApiObject, requestedGrace: number | undefined): ApiObject {
  const before = object.metadata['deletionGracePeriodSeconds'] as number | undefined;
  const wanted = kind.rules.grace?.(object, requestedGrace) ?? 0;
  // A second delete may shorten the grace period, never lengthen it.
  const grace =
    before === undefined ? wanted : requestedGrace === undefined ? before : Math.min(before, wanted);
  const first = object.metadata['deletionTimestamp'] === undefined;
  if (!first && grace === before) return object;
  const generation = object.metadata['generation'];
  const marked: ApiObject = {
    ...object,
    metadata: {
      ...object.metadata,
      deletionTimestamp: timestamp(new Date(Date.now() + grace * 1000)),
      deletionGracePeriodSeconds: grace,
      ...(first && typeof generation === 'number' ? { generation: generation + 1 } : {}),
    },
  };
  return first ? (kind.rules.onDelete?.(marked) ?? marked) : marked;
}

import { randomUUID } from 'node:crypto';
import { timestamp } from '../../kube/conditions.js';
import {
  alreadyExists,
  badRequest,
  conflict,
  expired,
  forbidden,
  invalid,
  MODIFIED,
  notFound,
} from './api-error.js';
import { fieldError } from './field-errors.js';
import { deepEqual, isObject, type Json, mergePatch, stringAt } from './json.js';
import { crdKind } from './kinds/crd.js';
import type { ApiObject, Kind } from './kinds/kind.js';
import { keepServerMeta, readMeta, sameSpec, validateMeta } from './kinds/meta.js';
import { bind } from './kinds/pod.js';
import { Registry } from './registry.js';
import { type Selector, selectorOf } from './selectors.js';
import { Storage, storageKey } from './storage.js';

/** What became of unknown fields: as the query parameter fieldValidation asks. */
export interface WriteOptions {
  readonly fieldValidation: 'Strict' | 'Warn' | 'Ignore';
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

export interface Page {
  readonly items: readonly ApiObject[];
  readonly version: string;
  readonly continue: string | undefined;
  readonly remaining: number | undefined;
}

const INTERNAL: WriteOptions = { fieldValidation: 'Ignore', dryRun: false };
/** Lists that are read page by page keep their snapshot; this many at once. */
const MAX_SNAPSHOTS = 64;

/** The verbs of the API on the storage. Everything here is synchronous: one request is one step. */
export class Api {
  readonly storage: Storage;
  readonly registry = new Registry();
  readonly #snapshots = new Map<string, { items: readonly ApiObject[]; version: string; total: number }>();

  constructor(storage: Storage = new Storage()) {
    this.storage = storage;
  }

  get(kind: Kind, namespace: string | undefined, name: string): ApiObject {
    return toWire(kind, this.#stored(kind, namespace, name));
  }

  list(kind: Kind, namespace: string | undefined, query: URLSearchParams): Page {
    const limit = Number(query.get('limit') ?? 0);
    const token = query.get('continue') ?? '';
    const snapshot =
      token === '' ? this.#snapshot(kind, namespace, selectorOf(kind, query)) : this.#snapshots.get(token);
    if (snapshot === undefined) {
      throw expired(
        'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.',
      );
    }
    this.#snapshots.delete(token);
    if (!(limit > 0) || snapshot.items.length <= limit) {
      return {
        items: snapshot.items.map((item) => toWire(kind, item)),
        version: snapshot.version,
        continue: undefined,
        remaining: undefined,
      };
    }
    const rest = snapshot.items.slice(limit);
    const next = randomUUID();
    this.#snapshots.set(next, { ...snapshot, items: rest });
    const oldest = this.#snapshots.keys().next().value;
    if (this.#snapshots.size > MAX_SNAPSHOTS && oldest !== undefined) this.#snapshots.delete(oldest);
    const items = snapshot.items.slice(0, limit).map((item) => toWire(kind, item));
    return { items, version: snapshot.version, continue: next, remaining: rest.length };
  }

  create(kind: Kind, namespace: string | undefined, body: Json, options: WriteOptions): WriteResult {
    const unknown: string[] = [];
    let object = this.#decode(kind, namespace, body, unknown);
    if (object.metadata['resourceVersion'] !== undefined)
      throw badRequest('resourceVersion should not be set on objects to be created');
    if (kind.namespaced) this.#requireNamespace(kind, object);
    object = this.#named(kind, object);
    const {
      uid: _uid,
      deletionTimestamp: _at,
      deletionGracePeriodSeconds: _grace,
      ...metadata
    } = object.metadata;
    object = {
      ...object,
      metadata: {
        ...(metadata as ApiObject['metadata']),
        uid: randomUUID(),
        creationTimestamp: timestamp(new Date()),
        ...(kind.hasGeneration ? { generation: 1 } : {}),
      },
    };
    if (kind.hasStatus) delete object['status'];
    object = kind.rules.create?.(object) ?? object;
    const warnings = this.#judgeUnknown(kind, unknown, options);
    this.#validate(kind, object, undefined);
    if (this.storage.get(kind.storage, keyOf(object)) !== undefined)
      throw alreadyExists(kind, object.metadata.name);
    if (options.dryRun) return { object: toWire(kind, object), warnings };
    if (kind === crdKind) this.registry.define(object);
    return { object: toWire(kind, this.storage.put(kind.storage, object)), warnings };
  }

  replace(
    kind: Kind,
    namespace: string | undefined,
    name: string,
    body: Json,
    options: WriteOptions,
  ): WriteResult {
    const old = this.#stored(kind, namespace, name);
    return this.#update(kind, old, name, body, options);
  }

  replaceStatus(
    kind: Kind,
    namespace: string | undefined,
    name: string,
    body: Json,
    options: WriteOptions,
  ): WriteResult {
    const old = this.#stored(kind, namespace, name);
    return this.#updateStatus(kind, old, name, body, options);
  }

  /** RFC 7386 on the stored object; with metadata.resourceVersion in the patch only on that very version. */
  patch(
    kind: Kind,
    namespace: string | undefined,
    name: string,
    patch: Json,
    status: boolean,
    options: WriteOptions,
  ): WriteResult {
    if (!isObject(patch)) throw badRequest('a merge patch must be a JSON object');
    const old = this.#stored(kind, namespace, name);
    const body = mergePatch(toWire(kind, old), patch);
    return status
      ? this.#updateStatus(kind, old, name, body, options)
      : this.#update(kind, old, name, body, options);
  }

  bindPod(kind: Kind, namespace: string, name: string, body: Json): void {
    const pod = this.#stored(kind, namespace, name);
    const node = stringAt(body, 'target', 'name');
    if (node === undefined || node === '') throw badRequest('target.name: Required value');
    const bound = stringAt(pod, 'spec', 'nodeName');
    if (bound !== undefined) throw conflict(kind, name, `pod ${name} is already assigned to node "${bound}"`);
    if (pod.metadata['deletionTimestamp'] !== undefined)
      throw conflict(kind, name, `pod ${name} is being deleted, cannot be assigned to a host`);
    this.storage.put(kind.storage, bind(pod, node, new Date()));
  }

  /** The object if it stays for now (finalizers, grace), undefined if it is gone. */
  delete(
    kind: Kind,
    namespace: string | undefined,
    name: string,
    wish: DeleteWish,
  ): { object: ApiObject; gone: boolean } {
    const object = this.#stored(kind, namespace, name);
    const { uid, resourceVersion } = object.metadata;
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
    const refusal = kind.rules.refuseDelete?.(object);
    if (refusal !== undefined) throw forbidden(kind, name, refusal);
    if (wish.dryRun) return { object: toWire(kind, object), gone: false };
    const marked = this.#mark(kind, object, wish.graceSeconds);
    // On its way already: asking again is no change.
    if (marked === object) return { object: toWire(kind, object), gone: false };
    const result = this.#removeIfDone(kind, marked);
    return { object: toWire(kind, result.object), gone: result.gone };
  }

  /** For the collectors: as a client's delete, without anything to wait for an answer. */
  deleteQuietly(collection: string, object: ApiObject): void {
    const kind = this.registry.ofStorage(collection);
    const current = this.storage.get(collection, keyOf(object));
    if (kind === undefined || current === undefined || current.metadata['uid'] !== object.metadata['uid'])
      return;
    if (current.metadata['deletionTimestamp'] !== undefined) return;
    this.#removeIfDone(kind, this.#mark(kind, current, undefined));
  }

  /** For the collectors: a change that no client asked for; removes the object when that was all it waited for. */
  amend(collection: string, object: ApiObject): void {
    const kind = this.registry.ofStorage(collection);
    if (kind !== undefined) this.#removeIfDone(kind, object);
  }

  #snapshot(
    kind: Kind,
    namespace: string | undefined,
    matches: Selector,
  ): { items: readonly ApiObject[]; version: string; total: number } {
    const items = this.storage
      .list(kind.storage)
      .filter(
        (object) =>
          (namespace === undefined || object.metadata['namespace'] === namespace) &&
          matches(toWire(kind, object)),
      );
    return { items, version: String(this.storage.version), total: items.length };
  }

  #update(kind: Kind, old: ApiObject, name: string, body: Json, options: WriteOptions): WriteResult {
    const unknown: string[] = [];
    let object = this.#decode(kind, old.metadata['namespace'] as string | undefined, body, unknown);
    this.#checkIdentity(kind, object, old, name);
    object = keepServerMeta(object, old);
    if (kind.hasStatus) {
      if (old['status'] === undefined) delete object['status'];
      else object['status'] = old['status'];
    }
    object = kind.rules.update?.(object, old) ?? object;
    if (kind.hasGeneration && !sameSpec(kind, object, old)) {
      object = {
        ...object,
        metadata: { ...object.metadata, generation: Number(old.metadata['generation'] ?? 0) + 1 },
      };
    }
    const warnings = this.#judgeUnknown(kind, unknown, options);
    this.#validate(kind, object, old);
    return { object: this.#write(kind, object, old, options), warnings };
  }

  #updateStatus(kind: Kind, old: ApiObject, name: string, body: Json, options: WriteOptions): WriteResult {
    const unknown: string[] = [];
    const decoded = this.#decode(kind, old.metadata['namespace'] as string | undefined, body, unknown);
    this.#checkIdentity(kind, decoded, old, name);
    const object: ApiObject = { ...old };
    if (decoded['status'] === undefined) delete object['status'];
    else object['status'] = decoded['status'];
    const warnings = this.#judgeUnknown(kind, unknown, options);
    const errors = (kind.rules.validateStatus ?? kind.rules.validate)?.(object, old) ?? [];
    if (errors.length > 0) throw invalid(kind, name, errors);
    return { object: this.#write(kind, object, old, options), warnings };
  }

  /** A write that changes nothing is no write: no new version, no event. */
  #write(kind: Kind, object: ApiObject, old: ApiObject, options: WriteOptions): ApiObject {
    if (options.dryRun || deepEqual(object, old)) return toWire(kind, object);
    if (kind === crdKind) this.registry.define(object);
    return toWire(kind, this.#removeIfDone(kind, object).object);
  }

  #removeIfDone(kind: Kind, object: ApiObject): { object: ApiObject; gone: boolean } {
    const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = object.metadata;
    const held = Array.isArray(finalizers) && finalizers.length > 0;
    const done =
      deletionTimestamp !== undefined &&
      !held &&
      (deletionGracePeriodSeconds ?? 0) === 0 &&
      (kind.rules.isGone?.(object) ?? true);
    if (!done) return { object: this.storage.put(kind.storage, object), gone: false };
    if (kind === crdKind) this.registry.undefine(object);
    return { object: this.storage.remove(kind.storage, object), gone: true };
  }

  #mark(kind: Kind, object: ApiObject, requestedGrace: number | undefined): ApiObject {
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

  #stored(kind: Kind, namespace: string | undefined, name: string): ApiObject {
    const object = this.storage.get(kind.storage, storageKey(namespace, name));
    if (object === undefined) throw notFound(kind, name);
    return object;
  }

  /** Body → object of the stored form: typed, with clean metadata, defaults in, unknown fields out. */
  #decode(kind: Kind, namespace: string | undefined, body: Json, unknown: string[]): ApiObject {
    if (!isObject(body)) throw badRequest('the body must be a JSON object');
    const apiVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
    if ((body['apiVersion'] ?? apiVersion) !== apiVersion || (body['kind'] ?? kind.kind) !== kind.kind) {
      const given = `${JSON.stringify(body['apiVersion'])}, Kind=${JSON.stringify(body['kind'])}`;
      throw badRequest(
        `the object provided is of ${given}, this path takes "${apiVersion}", Kind="${kind.kind}"`,
      );
    }
    const metadata = readMeta(body['metadata'], unknown);
    if (kind.namespaced) {
      if (metadata['namespace'] !== undefined && metadata['namespace'] !== namespace) {
        throw badRequest(
          `the namespace of the provided object does not match the namespace sent on the request: "${String(metadata['namespace'])}", "${namespace}"`,
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

  #named(kind: Kind, object: ApiObject): ApiObject {
    const { name, generateName } = object.metadata;
    if (name !== '') return object;
    if (typeof generateName !== 'string') {
      throw invalid(kind, '', [fieldError.required('metadata.name', 'name or generateName is required')]);
    }
    return { ...object, metadata: { ...object.metadata, name: generateName.slice(0, 58) + randomSuffix() } };
  }

  #requireNamespace(kind: Kind, object: ApiObject): void {
    const namespaces = this.registry.find('', 'v1', 'namespaces');
    const name = String(object.metadata['namespace']);
    const namespace = this.storage.get(namespaces.storage, name);
    if (namespace === undefined) throw notFound(namespaces, name);
    if (namespace.metadata['deletionTimestamp'] !== undefined) {
      throw forbidden(
        kind,
        object.metadata.name,
        `unable to create new content in namespace ${name} because it is being terminated`,
      );
    }
  }

  #checkIdentity(kind: Kind, object: ApiObject, old: ApiObject, name: string): void {
    const { metadata } = object;
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

  #judgeUnknown(kind: Kind, unknown: readonly string[], options: WriteOptions): string[] {
    if (unknown.length === 0 || options.fieldValidation === 'Ignore') return [];
    const problems = [...new Set(unknown)].map((path) => `unknown field "${path}"`);
    if (options.fieldValidation === 'Warn') return problems;
    throw badRequest(
      `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: strict decoding error: ${problems.join(', ')}`,
    );
  }

  #validate(kind: Kind, object: ApiObject, old: ApiObject | undefined): void {
    const errors = [...validateMeta(kind, object, old), ...(kind.rules.validate?.(object, old) ?? [])];
    if (errors.length > 0) throw invalid(kind, object.metadata.name, errors);
  }
}

export { INTERNAL as internalWrite };

/** The stored object as this version of its kind shows it. */
export function toWire(kind: Kind, object: ApiObject): ApiObject {
  if (kind.toWire !== undefined) return kind.toWire(object);
  const apiVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
  return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
}

function keyOf(object: ApiObject): string {
  return storageKey(object.metadata['namespace'] as string | undefined, object.metadata.name);
}

/** Without vowels and look-alikes, as Kubernetes does it. */
const SUFFIX_LETTERS = 'bcdfghjklmnpqrstvwxz2456789';

function randomSuffix(): string {
  const bytes = randomUUID().replaceAll('-', '');
  return Array.from(
    { length: 5 },
    (_, index) =>
      SUFFIX_LETTERS[Number.parseInt(bytes.slice(index * 4, index * 4 + 4), 16) % SUFFIX_LETTERS.length],
  ).join('');
}

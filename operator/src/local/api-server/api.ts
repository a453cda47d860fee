import { alreadyExists, badRequest, conflict, forbidden, invalid, notFound } from './api-error.js';
import { applyConfiguration, readConfiguration } from './apply.js';
import {
  checkIdentity,
  decodeObject,
  type FieldValidation,
  judgePatched,
  judgeUnknown,
  toWire,
  withName,
} from './decode.js';
import { checkPreconditions, type DeleteWish, markDeleted } from './deletion.js';
import { withManagers } from './fields/ownership.js';
import { deepEqual, type Json, stringAt } from './json.js';
import { crdKind } from './kinds/crd.js';
import type { ApiObject, Kind } from './kinds/kind.js';
import { keepServerMeta } from './kinds/meta.js';
import { bind } from './kinds/pod.js';
import { type Page, Pages } from './pages.js';
import { Registry } from './registry.js';
import { selectorOf } from './selectors.js';
import {
  asNew,
  isHeld,
  type Patch,
  patched,
  validate,
  withField,
  withGeneration,
  withVersionOf,
} from './steps.js';
import { keyOfObject, Storage, storageKey } from './storage.js';
import { authorOf, tracked } from './tracking.js';

export interface WriteOptions {
  readonly fieldValidation: FieldValidation;
  readonly dryRun: boolean;
  /** Who is noted in managedFields. */
  readonly manager: string;
}

export interface WriteResult {
  readonly object: ApiObject;
  /** For Warning headers. */
  readonly warnings: readonly string[];
}

export interface DeleteResult {
  readonly object: ApiObject;
  /** False while finalizers, grace or content hold it. */
  readonly gone: boolean;
}

type Namespace = string | undefined;
type Subresource = '' | 'status';

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
    // Of what is selected from, nobody knows how much there would be.
    const counted = !query.get('labelSelector') && !query.get('fieldSelector');
    if (token !== '') return this.#pages.next(token, limit, counted);
    const matches = selectorOf(kind, query);
    const items = this.storage
      .list(kind.storage)
      .filter((object) => namespace === undefined || object.metadata['namespace'] === namespace)
      .map((object) => toWire(kind, object))
      .filter(matches);
    return this.#pages.first({ items, version: String(this.storage.version) }, limit, counted);
  }

  create(kind: Kind, namespace: Namespace, body: Json, options: WriteOptions): WriteResult {
    const unknown: string[] = [];
    const decoded = decodeObject(kind, namespace, body, unknown);
    const warnings = judgeUnknown(kind, unknown, options.fieldValidation);
    const named = withName(kind, decoded);
    return {
      object: this.#insert(kind, tracked(kind, undefined, named, options.manager, ''), options),
      warnings,
    };
  }

  replace(kind: Kind, namespace: Namespace, name: string, body: Json, options: WriteOptions): WriteResult {
    return this.#update(kind, this.#stored(kind, namespace, name), body, '', options, judgeUnknown);
  }

  replaceStatus(
    kind: Kind,
    namespace: Namespace,
    name: string,
    body: Json,
    options: WriteOptions,
  ): WriteResult {
    return this.#update(kind, this.#stored(kind, namespace, name), body, 'status', options, judgeUnknown);
  }

  /** RFC 7386 or RFC 6902 on the stored object; with metadata.resourceVersion in it only on that very version. */
  patch(
    kind: Kind,
    namespace: Namespace,
    name: string,
    patch: Patch,
    subresource: Subresource,
    options: WriteOptions,
  ): WriteResult {
    const old = this.#stored(kind, namespace, name);
    return this.#update(kind, old, patched(toWire(kind, old), patch), subresource, options, judgePatched);
  }

  /** Server-side apply; makes the object when there is none. */
  apply(
    kind: Kind,
    namespace: Namespace,
    name: string,
    body: Json,
    subresource: Subresource,
    options: WriteOptions & { readonly force: boolean },
  ): WriteResult & { readonly created: boolean } {
    const configuration = readConfiguration(kind, namespace, name, body, options.manager);
    const old = this.storage.get(kind.storage, storageKey(namespace, name));
    if (old === undefined && subresource !== '') throw notFound(kind, name);
    // Who applies to the very object that was there before makes no other one of its name.
    const { uid } = configuration.metadata;
    if (old === undefined && uid !== undefined)
      throw conflict(
        kind,
        name,
        `uid mismatch: the provided object specified uid ${String(uid)}, and no existing object was found`,
      );
    const author = authorOf(kind, options.manager, subresource);
    const live = old === undefined ? undefined : toWire(kind, old);
    const { object, managers } = applyConfiguration(kind, live, configuration, author, options.force);
    const own = (next: ApiObject): ApiObject => withManagers(next, managers);
    // What the schema does not know was refused when the configuration was read.
    const unknown: string[] = [];
    if (old === undefined) {
      const decoded = decodeObject(kind, namespace, object, unknown);
      return { object: this.#insert(kind, own(decoded), options), warnings: [], created: true };
    }
    const decoded = decodeObject(kind, namespace, object, unknown);
    checkIdentity(kind, withVersionOf(decoded, configuration, old), old);
    const next = subresource === '' ? this.#nextObject(kind, old, decoded) : this.#nextStatus(old, decoded);
    return { object: this.#write(kind, own(next), old, subresource, options), warnings: [], created: false };
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
    const marked = markDeleted(kind, object, wish.graceSeconds, wish.propagation);
    if (wish.dryRun) return { object: toWire(kind, object), gone: !isHeld(kind, marked) };
    // On its way already: asking again is no change.
    if (marked === object) return { object: toWire(kind, object), gone: false };
    const result = this.#settle(kind, marked);
    return { object: toWire(kind, result.object), gone: result.gone };
  }

  /** For the collectors: as a client's delete, with nobody to answer. */
  deleteQuietly(
    collection: string,
    object: ApiObject,
    propagation: DeleteWish['propagation'] = 'Background',
  ): void {
    const kind = this.registry.ofStorage(collection);
    const current = this.storage.get(collection, keyOfObject(object));
    if (kind === undefined || current === undefined || current.metadata['uid'] !== object.metadata['uid'])
      return;
    if (current.metadata['deletionTimestamp'] !== undefined) return;
    this.#settle(kind, markDeleted(kind, current, undefined, propagation));
  }

  /** For the collectors: a change that no client asked for; removes the object when that was all it waited for. */
  amend(collection: string, object: ApiObject): void {
    const kind = this.registry.ofStorage(collection);
    if (kind !== undefined) this.#settle(kind, object);
  }

  /** For the collectors: a status as a controller of that name writes it. */
  report(collection: string, object: ApiObject, status: Json, controller: string): ApiObject {
    const kind = this.registry.ofStorage(collection);
    if (kind === undefined) return object;
    const next = tracked(kind, object, { ...object, status }, controller, 'status');
    return this.#settle(kind, next).object;
  }

  /** Stores a new object, whose author is noted already. */
  #insert(kind: Kind, decoded: ApiObject, options: WriteOptions): ApiObject {
    if (decoded.metadata['resourceVersion'] !== undefined)
      throw badRequest('resourceVersion should not be set on objects to be created');
    if (kind.namespaced) this.#requireNamespace(kind, decoded);
    const object = asNew(kind, decoded);
    validate(kind, object, undefined);
    if (this.storage.get(kind.storage, keyOfObject(object)) !== undefined)
      throw alreadyExists(kind, object.metadata.name);
    if (options.dryRun) return toWire(kind, object);
    const stored = this.storage.put(kind.storage, object);
    // What could not be stored is not served.
    if (kind === crdKind) this.registry.define(stored);
    return toWire(kind, stored);
  }

  #update(
    kind: Kind,
    old: ApiObject,
    body: Json,
    subresource: Subresource,
    options: WriteOptions,
    judge: typeof judgeUnknown,
  ): WriteResult {
    const unknown: string[] = [];
    const decoded = decodeObject(kind, old.metadata['namespace'] as Namespace, body, unknown);
    const warnings = judge(kind, unknown, options.fieldValidation, body);
    checkIdentity(kind, decoded, old);
    const next = subresource === '' ? this.#nextObject(kind, old, decoded) : this.#nextStatus(old, decoded);
    const owned = tracked(kind, old, next, options.manager, subresource);
    return { object: this.#write(kind, owned, old, subresource, options), warnings };
  }

  #nextObject(kind: Kind, old: ApiObject, decoded: ApiObject): ApiObject {
    const kept = keepServerMeta(decoded, old);
    const withStatus = kind.hasStatus ? withField(kept, 'status', old['status']) : kept;
    return kind.rules.update?.(withStatus, old) ?? withStatus;
  }

  #nextStatus(old: ApiObject, decoded: ApiObject): ApiObject {
    return withField(old, 'status', decoded['status']);
  }

  /** A write that changes nothing is no write: no new version, no event. */
  #write(
    kind: Kind,
    next: ApiObject,
    old: ApiObject,
    subresource: Subresource,
    options: WriteOptions,
  ): ApiObject {
    const object = subresource === '' ? withGeneration(kind, next, old) : next;
    if (subresource === '') validate(kind, object, old);
    else {
      const errors = (kind.rules.validateStatus ?? kind.rules.validate)?.(object, old) ?? [];
      if (errors.length > 0) throw invalid(kind, old.metadata.name, errors);
    }
    if (options.dryRun || deepEqual(object, old)) return toWire(kind, object);
    const settled = this.#settle(kind, object);
    if (kind === crdKind && !settled.gone) this.registry.define(settled.object);
    return toWire(kind, settled.object);
  }

  /** Stores the object, or removes it when it was to be deleted and nothing holds it any more. */
  #settle(kind: Kind, object: ApiObject): DeleteResult {
    if (object.metadata['deletionTimestamp'] === undefined || isHeld(kind, object))
      return { object: this.storage.put(kind.storage, object), gone: false };
    this.storage.remove(kind.storage, object);
    if (kind === crdKind) this.registry.undefine(object);
    return { object, gone: true };
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

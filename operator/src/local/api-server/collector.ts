import type { Api } from './api.js';
import { ApiError } from './api-error.js';
import { PROPAGATION_FINALIZERS } from './deletion.js';
import { isObject, type JsonObject } from './json.js';
import { CLEANUP_FINALIZER, crdKind } from './kinds/crd.js';
import type { ApiObject } from './kinds/kind.js';
import { terminated } from './kinds/namespace.js';
import { type Commit, keyOfObject } from './storage.js';

interface Located {
  readonly collection: string;
  readonly object: ApiObject;
}

const NAMESPACES = '/namespaces';
/** A step for which the disk had no room is tried again. */
const RETRY_MS = 1000;

/**
 * What the garbage collector, the namespace controller and the definition controller do in a cluster: objects go
 * when all their owners are gone; a namespace or a definition under deletion takes its content with it and goes
 * last. Works in the background, one turn of the event loop after the change.
 */
export class Collector {
  readonly #api: Api;
  readonly #alive = new Map<string, Located>();
  readonly #dependents = new Map<string, Set<string>>();
  readonly #queue: (() => void)[] = [];
  readonly #unsubscribe: () => void;
  #scheduled: NodeJS.Immediate | undefined;
  #retrying: NodeJS.Timeout | undefined;
  #held = false;

  constructor(api: Api) {
    this.#api = api;
    // Of an earlier run; also what was not done yet is found so.
    for (const collection of api.storage.collections())
      for (const object of api.storage.list(collection)) this.#saw(collection, object);
    this.#unsubscribe = api.storage.subscribe((commit) => this.#on(commit));
  }

  stop(): void {
    this.#unsubscribe();
    if (this.#scheduled !== undefined) clearImmediate(this.#scheduled);
    clearTimeout(this.#retrying);
    this.#queue.length = 0;
  }

  #on({ type, collection, object }: Commit): void {
    const uid = uidOf(object);
    if (type === 'DELETED') {
      this.#alive.delete(uid);
      for (const owner of ownersOf(object)) {
        this.#dependents.get(owner.uid)?.delete(uid);
        this.#later(() => this.#deleteOwned(owner.uid));
      }
      for (const dependent of this.#dependents.get(uid) ?? []) this.#later(() => this.#judge(dependent));
      this.#dependents.delete(uid);
      this.#later(() => this.#emptied(collection, object));
      return;
    }
    this.#saw(collection, object);
  }

  #saw(collection: string, object: ApiObject): void {
    const uid = uidOf(object);
    this.#alive.set(uid, { collection, object });
    for (const owner of ownersOf(object)) {
      const dependents = this.#dependents.get(owner.uid) ?? new Set();
      this.#dependents.set(owner.uid, dependents.add(uid));
      // Also an owner that was gone before its dependent came.
      if (!this.#alive.has(owner.uid)) this.#later(() => this.#judge(uid));
    }
    if (object.metadata['deletionTimestamp'] === undefined) return;
    if (waitsFor(object, 'Foreground')) this.#later(() => this.#deleteOwned(uid));
    if (waitsFor(object, 'Orphan')) this.#later(() => this.#orphanOwned(uid));
    if (collection === NAMESPACES) this.#later(() => this.#clearNamespace(object.metadata.name));
    if (collection === crdKind.storage) this.#later(() => this.#clearDefinition(object));
  }

  /** Does nothing until it is released: for those who want to see what is in between. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    if (this.#queue.length > 0) this.#later(() => {});
  }

  #later(step: () => void): void {
    this.#queue.push(step);
    if (this.#held) return;
    this.#scheduled ??= setImmediate(() => {
      this.#scheduled = undefined;
      if (this.#held) return;
      for (const next of this.#queue.splice(0)) this.#try(next);
    });
  }

  /** Nobody waits for an answer that could be refused: what cannot be written now is done when it can. */
  #try(step: () => void): void {
    try {
      step();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#queue.push(step);
      this.#retrying ??= setTimeout(() => {
        this.#retrying = undefined;
        this.#later(() => {});
      }, RETRY_MS).unref();
    }
  }

  /** Deletes a dependent whose owners are all gone; of some gone, their references are taken out. */
  #judge(uid: string): void {
    const located = this.#alive.get(uid);
    if (located === undefined) return;
    const { collection, object } = located;
    const owners = ownersOf(object);
    const present = owners.filter((owner) => this.#owns(owner.uid, object));
    if (present.length === owners.length) return;
    if (present.length === 0) {
      this.#api.deleteQuietly(collection, object);
      return;
    }
    this.#api.amend(collection, {
      ...object,
      metadata: { ...object.metadata, ownerReferences: present.map((owner) => owner.reference) },
    });
  }

  /** Foreground deletion: what blocks its owner goes first, then the owner. */
  #deleteOwned(uid: string): void {
    const owner = this.#alive.get(uid);
    if (owner === undefined || !waitsFor(owner.object, 'Foreground')) return;
    const blocking = [...(this.#dependents.get(uid) ?? [])].flatMap((dependent) => {
      const located = this.#alive.get(dependent);
      return located !== undefined && blocks(located.object, uid) ? [located] : [];
    });
    for (const { collection, object } of blocking) this.#api.deleteQuietly(collection, object, 'Foreground');
    if (blocking.length === 0) this.#release(owner, 'Foreground');
  }

  /** Orphan deletion: what it owns forgets it, then it goes. */
  #orphanOwned(uid: string): void {
    const owner = this.#alive.get(uid);
    if (owner === undefined || !waitsFor(owner.object, 'Orphan')) return;
    for (const dependent of this.#dependents.get(uid) ?? []) {
      const located = this.#alive.get(dependent);
      if (located === undefined) continue;
      const { ownerReferences: _, ...metadata } = located.object.metadata;
      const left = ownersOf(located.object).filter((reference) => reference.uid !== uid);
      const rest = left.length === 0 ? {} : { ownerReferences: left.map(({ reference }) => reference) };
      const freed = { ...located.object, metadata: { ...metadata, ...rest } } as ApiObject;
      this.#api.amend(located.collection, freed);
    }
    this.#release(owner, 'Orphan');
  }

  #release({ collection, object }: Located, propagation: keyof typeof PROPAGATION_FINALIZERS): void {
    const { finalizers: _, ...metadata } = object.metadata;
    const left = finalizersOf(object).filter((name) => name !== PROPAGATION_FINALIZERS[propagation]);
    const rest = left.length === 0 ? {} : { finalizers: left };
    this.#api.amend(collection, { ...object, metadata: { ...metadata, ...rest } } as ApiObject);
  }

  /** An owner in another namespace is none. */
  #owns(ownerUid: string, dependent: ApiObject): boolean {
    const owner = this.#alive.get(ownerUid)?.object;
    if (owner === undefined) return false;
    const namespace = owner.metadata['namespace'];
    return namespace === undefined || namespace === dependent.metadata['namespace'];
  }

  #clearNamespace(name: string): void {
    const content = [...this.#alive.values()].filter(({ object }) => object.metadata['namespace'] === name);
    for (const { collection, object } of content) this.#api.deleteQuietly(collection, object);
    this.#emptyNamespace(name);
  }

  #clearDefinition(crd: ApiObject): void {
    const collection = contentOf(crd);
    for (const object of this.#api.storage.list(collection)) this.#api.deleteQuietly(collection, object);
    this.#emptyDefinition(collection);
  }

  #emptied(collection: string, object: ApiObject): void {
    const namespace = object.metadata['namespace'];
    if (typeof namespace === 'string') this.#emptyNamespace(namespace);
    this.#emptyDefinition(collection);
  }

  #emptyNamespace(name: string): void {
    const namespace = this.#api.storage.get(NAMESPACES, name);
    if (namespace?.metadata['deletionTimestamp'] === undefined) return;
    if ([...this.#alive.values()].some(({ object }) => object.metadata['namespace'] === name)) return;
    const status = terminated((namespace['status'] ?? {}) as JsonObject, new Date());
    const told = this.#api.report(NAMESPACES, namespace, status, 'kube-controller-manager');
    this.#api.amend(NAMESPACES, { ...told, spec: { ...(told['spec'] as JsonObject), finalizers: [] } });
  }

  #emptyDefinition(collection: string): void {
    const crd = this.#api.storage
      .list(crdKind.storage)
      .find((candidate) => contentOf(candidate) === collection);
    if (crd?.metadata['deletionTimestamp'] === undefined || this.#api.storage.list(collection).length > 0)
      return;
    const finalizers = ((crd.metadata['finalizers'] ?? []) as string[]).filter(
      (finalizer) => finalizer !== CLEANUP_FINALIZER,
    );
    if (finalizers.length === (crd.metadata['finalizers'] as string[]).length) return;
    this.#api.amend(crdKind.storage, { ...crd, metadata: { ...crd.metadata, finalizers } });
  }
}

function finalizersOf(object: ApiObject): string[] {
  const { finalizers } = object.metadata;
  return Array.isArray(finalizers) ? finalizers.map(String) : [];
}

function waitsFor(object: ApiObject, propagation: keyof typeof PROPAGATION_FINALIZERS): boolean {
  const deleted = object.metadata['deletionTimestamp'] !== undefined;
  return deleted && finalizersOf(object).includes(PROPAGATION_FINALIZERS[propagation]);
}

function blocks(dependent: ApiObject, owner: string): boolean {
  return ownersOf(dependent).some(
    ({ uid, reference }) => uid === owner && reference['blockOwnerDeletion'] === true,
  );
}

function contentOf(crd: ApiObject): string {
  const spec = crd['spec'] as JsonObject;
  return `${String(spec['group'])}/${String((spec['names'] as JsonObject)['plural'])}`;
}

function uidOf(object: ApiObject): string {
  return String(object.metadata['uid'] ?? keyOfObject(object));
}

function ownersOf(object: ApiObject): { uid: string; reference: JsonObject }[] {
  const references = object.metadata['ownerReferences'];
  if (!Array.isArray(references)) return [];
  return references.filter(isObject).map((reference) => ({ uid: String(reference['uid']), reference }));
}

import type { Api } from './api.js';
import { isObject, type JsonObject } from './json.js';
import { CLEANUP_FINALIZER, crdKind } from './kinds/crd.js';
import type { ApiObject } from './kinds/kind.js';
import { type Commit, keyOfObject } from './storage.js';

interface Located {
  readonly collection: string;
  readonly object: ApiObject;
}

const NAMESPACES = '/namespaces';

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

  constructor(api: Api) {
    this.#api = api;
    this.#unsubscribe = api.storage.subscribe((commit) => this.#on(commit));
  }

  stop(): void {
    this.#unsubscribe();
    if (this.#scheduled !== undefined) clearImmediate(this.#scheduled);
    this.#queue.length = 0;
  }

  #on({ type, collection, object }: Commit): void {
    const uid = uidOf(object);
    if (type === 'DELETED') {
      this.#alive.delete(uid);
      for (const owner of ownersOf(object)) this.#dependents.get(owner.uid)?.delete(uid);
      for (const dependent of this.#dependents.get(uid) ?? []) this.#later(() => this.#judge(dependent));
      this.#dependents.delete(uid);
      this.#later(() => this.#emptied(collection, object));
      return;
    }
    this.#alive.set(uid, { collection, object });
    for (const owner of ownersOf(object)) {
      const dependents = this.#dependents.get(owner.uid) ?? new Set();
      this.#dependents.set(owner.uid, dependents.add(uid));
      // Also an owner that was gone before its dependent came.
      if (!this.#alive.has(owner.uid)) this.#later(() => this.#judge(uid));
    }
    if (object.metadata['deletionTimestamp'] === undefined) return;
    if (collection === NAMESPACES) this.#later(() => this.#clearNamespace(object.metadata.name));
    if (collection === crdKind.storage) this.#later(() => this.#clearDefinition(object));
  }

  #later(step: () => void): void {
    this.#queue.push(step);
    this.#scheduled ??= setImmediate(() => {
      this.#scheduled = undefined;
      for (const next of this.#queue.splice(0)) next();
    });
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
    this.#api.amend(NAMESPACES, {
      ...namespace,
      spec: { ...(namespace['spec'] as JsonObject), finalizers: [] },
    });
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

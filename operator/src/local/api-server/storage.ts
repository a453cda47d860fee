import { messageOf } from '../../errors.js';
import { deepFreeze } from '../../kube/store.js';
import { ApiError, expired, versionTooLarge } from './api-error.js';
import type { ApiObject } from './kinds/kind.js';
import type { StateRecord } from './state/records.js';
import type { StateDirectory } from './state/state-directory.js';

export interface Commit {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** `group/plural`. */
  readonly collection: string;
  readonly key: string;
  readonly object: ApiObject;
  readonly previous: ApiObject | undefined;
}

interface Collection {
  readonly objects: Map<string, ApiObject>;
  /** The newest commits, for watches that come back. */
  readonly history: Commit[];
  /** Commits up to and including this version are no longer in the history. */
  forgottenUpTo: number;
}

/** Watches that were away for more than this many changes of a kind must list again. */
const HISTORY_LIMIT = 4096;

/** `namespace/name`, or `name`. */
export function storageKey(namespace: string | undefined, name: string): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

export function keyOfObject(object: ApiObject): string {
  return storageKey(object.metadata['namespace'] as string | undefined, object.metadata.name);
}

/**
 * All objects, in memory, and one counter for all: each commit has the next version. Stored objects are deeply
 * frozen, so that readers may hold on to them. With a state directory, each commit is on disk before it counts.
 */
export class Storage {
  readonly #collections = new Map<string, Collection>();
  readonly #listeners = new Set<(commit: Commit) => void>();
  readonly #historyLimit: number;
  /** Before it there was nothing to tell. */
  readonly #firstVersion: number;
  readonly #state: StateDirectory | undefined;
  #version: number;

  constructor(state?: StateDirectory, historyLimit = HISTORY_LIMIT) {
    this.#state = state;
    this.#historyLimit = historyLimit;
    // Microseconds since 1970: without state, a version from before a restart is too old, never by chance a later one.
    this.#firstVersion = state?.restored.version || Date.now() * 1000;
    this.#version = this.#firstVersion;
    for (const { collection, object } of state?.restored.objects ?? [])
      this.#collection(collection).objects.set(keyOfObject(object), deepFreeze(object));
  }

  get version(): number {
    return this.#version;
  }

  get(collection: string, key: string): ApiObject | undefined {
    return this.#collections.get(collection)?.objects.get(key);
  }

  /** In the order of keys. */
  list(collection: string): ApiObject[] {
    const objects = this.#collections.get(collection)?.objects;
    if (objects === undefined) return [];
    return [...objects].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
  }

  collections(): string[] {
    return [...this.#collections.keys()];
  }

  put(collection: string, object: ApiObject): ApiObject {
    const { objects } = this.#collection(collection);
    const key = keyOfObject(object);
    const previous = objects.get(key);
    const stored = this.#stamp(object);
    this.#persist(collection, key, stored);
    objects.set(key, stored);
    this.#commit({
      version: this.#version,
      type: previous === undefined ? 'ADDED' : 'MODIFIED',
      collection,
      key,
      object: stored,
      previous,
    });
    return stored;
  }

  /** What watches are told of is the last state that was stored, with the version of the removal. */
  remove(collection: string, object: ApiObject): void {
    const { objects } = this.#collection(collection);
    const key = keyOfObject(object);
    const previous = objects.get(key) ?? object;
    const last = this.#stamp(previous);
    this.#persist(collection, key, null);
    objects.delete(key);
    this.#commit({ version: this.#version, type: 'DELETED', collection, key, object: last, previous });
  }

  /** Called synchronously with every commit; returns the way to stop. */
  subscribe(listener: (commit: Commit) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Throws when the version is of the future, or of another life of this server. */
  checkReached(version: number): void {
    if (version > this.#version) throw versionTooLarge(version, this.#version);
  }

  /** What happened after `version`; throws Expired when that is no longer known. */
  since(collection: string, version: number): Commit[] {
    this.checkReached(version);
    const { history, forgottenUpTo } = this.#collection(collection);
    if (version < forgottenUpTo) throw expired(`too old resource version: ${version} (${forgottenUpTo})`);
    return history.filter((commit) => commit.version > version);
  }

  #collection(name: string): Collection {
    let collection = this.#collections.get(name);
    if (collection === undefined) {
      collection = { objects: new Map(), history: [], forgottenUpTo: this.#firstVersion };
      this.#collections.set(name, collection);
    }
    return collection;
  }

  /** With the version that is next. */
  #stamp(object: ApiObject): ApiObject {
    return deepFreeze({
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(this.#version + 1) },
    });
  }

  /** From here on the version counts; what cannot be kept has not happened. */
  #persist(collection: string, key: string, object: ApiObject | null): void {
    const version = this.#version + 1;
    try {
      this.#state?.append({ version, collection, key, object });
    } catch (error) {
      throw new ApiError(
        500,
        'InternalError',
        `Internal error occurred: the state cannot be written: ${messageOf(error)}`,
      );
    }
    this.#version = version;
  }

  #commit(commit: Commit): void {
    const collection = this.#collection(commit.collection);
    collection.history.push(commit);
    // Cut in blocks: shifting one by one would move the whole list with each write.
    if (collection.history.length >= this.#historyLimit * 2) {
      const dropped = collection.history.splice(0, collection.history.length - this.#historyLimit);
      collection.forgottenUpTo = dropped.at(-1)?.version ?? collection.forgottenUpTo;
    }
    for (const listener of this.#listeners) listener(commit);
    this.#compact();
  }

  /** What cannot be folded now, for want of room, is folded later: the log has it all. */
  #compact(): void {
    if (this.#state?.wantsSnapshot !== true) return;
    try {
      this.#state.snapshot(this.#version, this.#records());
    } catch {
      // The next commit tries again.
    }
  }

  #records(): StateRecord[] {
    return [...this.#collections].flatMap(([collection, { objects }]) =>
      [...objects].map(([key, object]) => ({
        version: Number(object.metadata['resourceVersion']),
        collection,
        key,
        object,
      })),
    );
  }
}

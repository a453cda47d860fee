import { joinKey, type KubeObject, keyOf, type ObjectKey, type Stored } from './types.js';

/** What an object is filed under in an index; none, one or several values. */
export type IndexFunction<T extends KubeObject> = (object: Stored<T>) => readonly string[];

/**
 * The last seen state of one kind. Objects in it are deeply frozen: they are shared by all readers, and a
 * reconcile that edits one in place would edit everyone's picture of the world.
 */
export class Store<T extends KubeObject> {
  readonly #objects = new Map<string, Stored<T>>();
  readonly #indexes = new Map<string, { of: IndexFunction<T>; entries: Map<string, Set<string>> }>();

  get size(): number {
    return this.#objects.size;
  }

  get(key: string | ObjectKey): Stored<T> | undefined {
    return this.#objects.get(typeof key === 'string' ? key : joinKey(key));
  }

  list(): Stored<T>[] {
    return [...this.#objects.values()];
  }

  keys(): string[] {
    return [...this.#objects.keys()];
  }

  /** Call before the first object arrives, or at any time: what is there is filed at once. */
  addIndex(name: string, of: IndexFunction<T>): void {
    const entries = new Map<string, Set<string>>();
    this.#indexes.set(name, { of, entries });
    for (const [key, object] of this.#objects) file(entries, of(object), key);
  }

  byIndex(name: string, value: string): Stored<T>[] {
    const index = this.#indexes.get(name);
    if (index === undefined)
      throw new RangeError(
        `no index "${name}"; there are: ${[...this.#indexes.keys()].join(', ') || 'none'}`,
      );
    const found: Stored<T>[] = [];
    for (const key of index.entries.get(value) ?? []) {
      const object = this.#objects.get(key);
      if (object !== undefined) found.push(object);
    }
    return found;
  }

  /** Returns what was there before. */
  set(object: Stored<T>): Stored<T> | undefined {
    const key = keyOf(object);
    const before = this.#objects.get(key);
    if (before !== undefined) this.#unfile(key, before);
    const frozen = deepFreeze(object);
    this.#objects.set(key, frozen);
    for (const { of, entries } of this.#indexes.values()) file(entries, of(frozen), key);
    return before;
  }

  delete(key: string): Stored<T> | undefined {
    const before = this.#objects.get(key);
    if (before === undefined) return undefined;
    this.#unfile(key, before);
    this.#objects.delete(key);
    return before;
  }

  #unfile(key: string, object: Stored<T>): void {
    for (const { of, entries } of this.#indexes.values()) {
      for (const value of of(object)) {
        const keys = entries.get(value);
        keys?.delete(key);
        if (keys?.size === 0) entries.delete(value);
      }
    }
  }
}

function file(entries: Map<string, Set<string>>, values: readonly string[], key: string): void {
  for (const value of values) {
    const keys = entries.get(value);
    if (keys === undefined) entries.set(value, new Set([key]));
    else keys.add(key);
  }
}

export function deepFreeze<V>(value: V): V {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}

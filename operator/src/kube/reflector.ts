import { Backoff } from './backoff.js';
import type { ResourceClient, Selectors } from './client.js';
import { type Clock, sleep, systemClock } from './clock.js';
import { isExpired, KubeStatusError } from './errors.js';
import { type KubeMetrics, noMetrics } from './metrics.js';
import { qualifiedName } from './resources.js';
import { Store } from './store.js';
import { type KubeObject, keyOf, type Stored, type WatchEvent } from './types.js';

export type Change<T extends KubeObject> =
  | { readonly type: 'added'; readonly object: Stored<T> }
  | { readonly type: 'updated'; readonly object: Stored<T>; readonly old: Stored<T> }
  | { readonly type: 'deleted'; readonly object: Stored<T> };

export interface ReflectorOptions extends Selectors {
  readonly namespace?: string;
  readonly clock?: Clock;
  readonly metrics?: KubeMetrics;
  /** How often the whole list is compared with what the watch told; 0 = only when it must be. */
  readonly relistMs?: number;
  readonly pageSize?: number;
  /** Told of everything that went wrong: failed lists, broken watches, handlers that threw. Never fatal. */
  readonly onError?: (error: unknown, doing: 'list' | 'watch' | 'handler') => void;
}

const RELIST_MS = 600_000;
const PAGE_SIZE = 500;
/** The server ends each watch after a time drawn from this range, so that reconnects of a fleet don't align. */
const WATCH_SECONDS = { min: 240, max: 480 };
/** A watch that outlives its own limit by this much is dead without having told: cut it. */
const OVERDUE_MS = 15_000;
/** A watch that ended earlier than this counts as a failure, lest a closing server be hammered. */
const SHORT_MS = 1000;
/** Answers after which the same resource version may still work. Any other answer means: list again. */
const RETRYABLE = new Set([429, 500, 502, 503, 504]);

/**
 * Keeps a Store equal to the server: list, then watch, for ever. Whatever breaks is retried with jittered
 * back-off; a lost event is found by the next relist; an object deleted and made again under the same name is
 * told as both, since its uid differs.
 */
export class Reflector<T extends KubeObject> {
  readonly store = new Store<T>();
  readonly #client: ResourceClient<T>;
  readonly #options: ReflectorOptions;
  readonly #clock: Clock;
  readonly #metrics: KubeMetrics['watch'];
  readonly #label: string;
  readonly #handlers: ((change: Change<T>) => void)[] = [];
  readonly #backoff: Backoff;
  readonly #stop = new AbortController();
  readonly #firstList = Promise.withResolvers<void>();
  #running: Promise<void> | undefined;
  #resourceVersion: string | undefined;
  #relistAt = 0;
  #lastFrame: number;
  #synced = false;

  constructor(client: ResourceClient<T>, options: ReflectorOptions = {}) {
    this.#client = client;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#metrics = (options.metrics ?? noMetrics).watch;
    this.#label = qualifiedName(client.resource);
    this.#backoff = new Backoff(200, 30_000, this.#clock);
    this.#lastFrame = this.#clock.now();
    this.#metrics.silence(this.#label, () => this.silenceSeconds);
  }

  /** Resolves when the first list is in the store; also when stopped before that. */
  get synced(): Promise<void> {
    return this.#firstList.promise;
  }

  get hasSynced(): boolean {
    return this.#synced;
  }

  /** Seconds since the server last said anything, bookmarks included. */
  get silenceSeconds(): number {
    return (this.#clock.now() - this.#lastFrame) / 1000;
  }

  /** Called after the store has the change, in order. What is already there is told first. */
  onChange(handler: (change: Change<T>) => void): void {
    for (const object of this.store.list()) this.#call(handler, { type: 'added', object });
    this.#handlers.push(handler);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#firstList.resolve();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      let waitMs: number | undefined;
      try {
        if (this.#resourceVersion === undefined || this.#clock.now() >= this.#relistAt)
          await this.#list(signal);
        waitMs = await this.#watch(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#options.onError?.(error, 'list');
        this.#resourceVersion = undefined;
        waitMs = this.#backoff.next();
      }
      if (waitMs !== undefined) await sleep(this.#clock, waitMs, signal);
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { items, resourceVersion } = await this.#allPages(signal);
    this.#metrics.relisted(this.#label);
    const changes = this.#replaceAll(items);
    if (this.#synced) this.#metrics.foundByRelist(this.#label, changes);
    this.#resourceVersion = resourceVersion;
    this.#lastFrame = this.#clock.now();
    const relistMs = this.#options.relistMs ?? RELIST_MS;
    this.#relistAt =
      relistMs === 0
        ? Number.POSITIVE_INFINITY
        : this.#clock.now() + relistMs * (0.9 + 0.2 * this.#clock.random());
    this.#synced = true;
    this.#firstList.resolve();
  }

  async #allPages(signal: AbortSignal): Promise<{ items: Stored<T>[]; resourceVersion: string }> {
    const { namespace, labelSelector, fieldSelector } = this.#options;
    const query = {
      ...(namespace === undefined ? {} : { namespace }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
      signal,
    };
    const limit = this.#options.pageSize ?? PAGE_SIZE;
    const items: Stored<T>[] = [];
    try {
      let page = await this.#client.list({ ...query, limit });
      items.push(...page.items);
      while (page.continue !== undefined) {
        page = await this.#client.list({ ...query, limit, continue: page.continue });
        items.push(...page.items);
      }
      return { items, resourceVersion: page.resourceVersion };
    } catch (error) {
      // The pages outlived the server's snapshot: one list in one piece cannot.
      if (!isExpired(error)) throw error;
      return this.#client.list(query);
    }
  }

  /** Returns how long to wait before the next watch; undefined = at once. */
  async #watch(signal: AbortSignal): Promise<number | undefined> {
    const started = this.#clock.now();
    const seconds = Math.round(
      WATCH_SECONDS.min + this.#clock.random() * (WATCH_SECONDS.max - WATCH_SECONDS.min),
    );
    const cut = new AbortController();
    const cancel = this.#clock.after(seconds * 1000 + OVERDUE_MS, () => cut.abort());
    try {
      const { namespace, labelSelector, fieldSelector } = this.#options;
      const events = this.#client.watch({
        ...(namespace === undefined ? {} : { namespace }),
        ...(labelSelector === undefined ? {} : { labelSelector }),
        ...(fieldSelector === undefined ? {} : { fieldSelector }),
        resourceVersion: this.#resourceVersion ?? '',
        timeoutSeconds: seconds,
        signal: AbortSignal.any([signal, cut.signal]),
      });
      for await (const event of events) this.#take(event);
      if (cut.signal.aborted)
        throw new Error(`the watch of ${this.#label} outlived its limit of ${seconds} s`);
      if (this.#clock.now() - started >= SHORT_MS) {
        this.#backoff.reset();
        return undefined;
      }
    } catch (error) {
      if (signal.aborted) return undefined;
      this.#options.onError?.(error, 'watch');
      if (mustRelist(error)) this.#resourceVersion = undefined;
      if (this.#clock.now() - started >= SHORT_MS) this.#backoff.reset();
    } finally {
      cancel();
    }
    this.#metrics.interrupted(this.#label);
    return this.#backoff.next();
  }

  #take(event: WatchEvent<T>): void {
    this.#lastFrame = this.#clock.now();
    if (event.type === 'BOOKMARK') {
      this.#resourceVersion = event.resourceVersion;
      return;
    }
    this.#metrics.event(this.#label);
    if (event.type === 'DELETED') this.#remove(event.object);
    else this.#upsert(event.object);
    this.#resourceVersion = event.object.metadata.resourceVersion;
  }

  #replaceAll(items: readonly Stored<T>[]): number {
    let changes = 0;
    const listed = new Set(items.map(keyOf));
    for (const object of this.store.list()) {
      if (!listed.has(keyOf(object)) && this.#remove(object)) changes += 1;
    }
    for (const object of items) if (this.#upsert(object)) changes += 1;
    return changes;
  }

  #upsert(object: Stored<T>): boolean {
    const old = this.store.get(keyOf(object));
    if (old !== undefined && old.metadata.uid === object.metadata.uid) {
      // Told twice: once by a list, once by the watch that began before it.
      if (old.metadata.resourceVersion === object.metadata.resourceVersion) return false;
      this.store.set(object);
      this.#tell({ type: 'updated', object, old });
      return true;
    }
    if (old !== undefined) this.#remove(old);
    this.store.set(object);
    this.#tell({ type: 'added', object });
    return true;
  }

  #remove(object: Stored<T>): boolean {
    const key = keyOf(object);
    // The end of an earlier object of this name must not take away the one that is there now.
    if (this.store.get(key)?.metadata.uid !== object.metadata.uid) return false;
    this.store.delete(key);
    this.#tell({ type: 'deleted', object });
    return true;
  }

  #tell(change: Change<T>): void {
    for (const handler of this.#handlers) this.#call(handler, change);
  }

  #call(handler: (change: Change<T>) => void, change: Change<T>): void {
    try {
      handler(change);
    } catch (error) {
      this.#options.onError?.(error, 'handler');
    }
  }
}

function mustRelist(error: unknown): boolean {
  if (isExpired(error)) return true;
  if (!(error instanceof KubeStatusError)) return false;
  // A server that was restored from a backup, or restarted empty, does not know our version yet.
  if (error.causes.some((cause) => cause.reason === 'ResourceVersionTooLarge')) return true;
  return !RETRYABLE.has(error.httpStatus);
}

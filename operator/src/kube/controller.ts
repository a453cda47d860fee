import { type Clock, systemClock } from './clock.js';
import { type KubeMetrics, noMetrics } from './metrics.js';
import type { Change, Reflector } from './reflector.js';
import { type KubeObject, keyOf, type Stored } from './types.js';
import { WorkQueue } from './workqueue.js';

export interface ReconcileResult {
  /** Come back after this long even if nothing changes. */
  readonly requeueAfterMs?: number;
}

export interface ControllerOptions {
  readonly name: string;
  /** Brings the object of this key nearer to what it should be. Throwing means: again, later. */
  readonly reconcile: (key: string, signal: AbortSignal) => Promise<ReconcileResult | undefined>;
  readonly workers?: number;
  readonly clock?: Clock;
  readonly metrics?: KubeMetrics;
  readonly onError?: (key: string, error: unknown, failures: number) => void;
}

/** Changes → keys → queue → reconcile. Level-triggered: a reconcile reads the stores, not the change. */
export class Controller {
  readonly queue: WorkQueue;
  readonly #options: ControllerOptions;
  readonly #sources: { readonly synced: Promise<void>; readonly hasSynced: boolean }[] = [];
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.queue = new WorkQueue({
      name: options.name,
      clock: options.clock ?? systemClock,
      metrics: options.metrics ?? noMetrics,
    });
  }

  /** `keys` says which keys a changed object concerns; by default its own. */
  watch<T extends KubeObject>(
    reflector: Reflector<T>,
    keys: (object: Stored<T>) => Iterable<string> = ownKey,
  ): this {
    this.#sources.push(reflector);
    reflector.onChange((change: Change<T>) => {
      for (const key of keys(change.object)) this.queue.add(key);
      // An update can move an object from one key to another, e.g. a changed reference: tell both.
      if (change.type === 'updated') for (const key of keys(change.old)) this.queue.add(key);
    });
    return this;
  }

  /** Starts working once every watched store has its first list: half a picture leads to wrong deletions. */
  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.queue.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const stopped = new Promise<void>((resolve) =>
      signal.addEventListener('abort', () => resolve(), { once: true }),
    );
    await Promise.race([stopped, Promise.all(this.#sources.map((source) => source.synced))]);
    if (this.#stop.signal.aborted || this.#sources.some((source) => !source.hasSynced)) return;
    await Promise.all(Array.from({ length: this.#options.workers ?? 1 }, () => this.#work()));
  }

  async #work(): Promise<void> {
    for (let key = await this.queue.take(); key !== undefined; key = await this.queue.take()) {
      try {
        const result = await this.#options.reconcile(key, this.#stop.signal);
        this.queue.forget(key);
        if (result?.requeueAfterMs !== undefined) this.queue.addAfter(key, result.requeueAfterMs);
      } catch (error) {
        if (!this.#stop.signal.aborted) {
          this.#options.onError?.(key, error, this.queue.failures(key) + 1);
          this.queue.addRateLimited(key);
        }
      } finally {
        this.queue.done(key);
      }
    }
  }
}

function ownKey(object: KubeObject): Iterable<string> {
  return [keyOf(object)];
}

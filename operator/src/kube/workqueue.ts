import { type Clock, systemClock } from './clock.js';
import { type KubeMetrics, noMetrics } from './metrics.js';

export interface WorkQueueOptions {
  readonly name: string;
  readonly clock?: Clock;
  readonly metrics?: KubeMetrics;
  /** Back-off of a failing key: first wait and longest. */
  readonly firstRetryMs?: number;
  readonly longestRetryMs?: number;
}

/**
 * The queue of client-go: a key is in it at most once; a key that is being worked on and is added again is handed
 * out again only after `done`, so no two workers ever have the same key; failures back off per key.
 */
export class WorkQueue {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #metrics: KubeMetrics['queue'];
  readonly #firstRetryMs: number;
  readonly #longestRetryMs: number;
  /** Keys that wait, in order, with the time they came. */
  readonly #queue = new Map<string, number>();
  readonly #processing = new Map<string, number>();
  /** Keys added while they were being worked on. */
  readonly #again = new Set<string>();
  readonly #delayed = new Map<string, { at: number; cancel: () => void }>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  #closed = false;

  constructor(options: WorkQueueOptions) {
    this.#name = options.name;
    this.#clock = options.clock ?? systemClock;
    this.#metrics = (options.metrics ?? noMetrics).queue;
    this.#firstRetryMs = options.firstRetryMs ?? 5;
    this.#longestRetryMs = options.longestRetryMs ?? 1_000_000;
    this.#metrics.depth(this.#name, () => this.length);
  }

  /** Keys that could be handed out now. */
  get length(): number {
    return this.#queue.size;
  }

  add(key: string): void {
    if (this.#closed) return;
    if (this.#processing.has(key)) {
      this.#again.add(key);
      return;
    }
    if (this.#queue.has(key)) return;
    this.#metrics.added(this.#name);
    this.#queue.set(key, this.#clock.now());
    this.#hand();
  }

  /** Of several delayed adds of a key only the earliest counts. */
  addAfter(key: string, ms: number): void {
    if (this.#closed) return;
    if (ms <= 0) {
      this.add(key);
      return;
    }
    const at = this.#clock.now() + ms;
    const waiting = this.#delayed.get(key);
    if (waiting !== undefined) {
      if (waiting.at <= at) return;
      waiting.cancel();
    }
    const cancel = this.#clock.after(ms, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { at, cancel });
  }

  /** After a failure: waits longer each time, until `forget`. */
  addRateLimited(key: string): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.#metrics.retried(this.#name);
    this.addAfter(key, Math.min(this.#firstRetryMs * 2 ** failures, this.#longestRetryMs));
  }

  forget(key: string): void {
    this.#failures.delete(key);
  }

  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** The next key; undefined once the queue is closed. Call `done` with it afterwards. */
  take(): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#takers.push(resolve);
      this.#hand();
    });
  }

  done(key: string): void {
    const started = this.#processing.get(key);
    if (started === undefined) return;
    this.#metrics.worked(this.#name, (this.#clock.now() - started) / 1000);
    this.#processing.delete(key);
    if (this.#again.delete(key)) this.add(key);
  }

  /** Hands out nothing more. Work in progress goes on. */
  close(): void {
    this.#closed = true;
    for (const { cancel } of this.#delayed.values()) cancel();
    this.#delayed.clear();
    this.#queue.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  #hand(): void {
    for (const [key, since] of this.#queue) {
      const taker = this.#takers.shift();
      if (taker === undefined) return;
      this.#queue.delete(key);
      const now = this.#clock.now();
      this.#metrics.waited(this.#name, (now - since) / 1000);
      this.#processing.set(key, now);
      taker(key);
    }
  }
}

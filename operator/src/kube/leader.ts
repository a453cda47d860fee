import { type Clock, sleep, systemClock } from './clock.js';
import type { LeaseLock } from './lease.js';
import { type KubeMetrics, noMetrics } from './metrics.js';

export interface LeaderOptions {
  readonly name: string;
  /** Give up leading when no renewal succeeded for this long. Less than the lease's duration. */
  readonly renewDeadlineMs?: number;
  readonly retryMs?: number;
  readonly clock?: Clock;
  readonly metrics?: KubeMetrics;
  readonly onError?: (error: unknown) => void;
  readonly onHolder?: (holder: string) => void;
}

/**
 * Leader election as client-go does it, on a LeaseLock. A leader that could not renew in time is no leader, even
 * if its event loop was stopped meanwhile: ask `isLeading` before each write, it looks at the clock.
 */
export class LeaderElector {
  readonly #lock: LeaseLock;
  readonly #options: LeaderOptions;
  readonly #clock: Clock;
  readonly #metrics: KubeMetrics['leader'];
  readonly #renewDeadlineMs: number;
  readonly #retryMs: number;
  #goodSince = Number.NEGATIVE_INFINITY;
  #leading = false;

  constructor(lock: LeaseLock, options: LeaderOptions) {
    this.#lock = lock;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#metrics = (options.metrics ?? noMetrics).leader;
    this.#renewDeadlineMs = options.renewDeadlineMs ?? 10_000;
    this.#retryMs = options.retryMs ?? 2000;
  }

  get isLeading(): boolean {
    return this.#leading && this.#clock.now() < this.#goodSince + this.#renewDeadlineMs;
  }

  /**
   * Waits for leadership, then runs `lead` with a signal that is aborted when leadership is lost. Returns when
   * `lead` has returned or `signal` is aborted: 'lost' means the process should exit, its view may be stale.
   */
  async run(signal: AbortSignal, lead: (signal: AbortSignal) => Promise<void>): Promise<'stopped' | 'lost'> {
    this.#metrics.is(this.#options.name, false);
    while (!signal.aborted && !(await this.#attempt(signal))) await this.#pause(signal);
    if (signal.aborted) return 'stopped';

    this.#leading = true;
    this.#metrics.is(this.#options.name, true);
    const lost = new AbortController();
    const work = lead(AbortSignal.any([signal, lost.signal]));
    const finished = work.then(
      () => true,
      () => true,
    );
    const outcome = await this.#keep(signal, finished);
    this.#leading = false;
    this.#metrics.is(this.#options.name, false);
    if (outcome === 'lost') lost.abort();
    await finished;
    // Only now: a release while the work still ran would let the next one begin beside us.
    if (outcome === 'stopped')
      await this.#lock.release().catch((error: unknown) => this.#options.onError?.(error));
    await work;
    return outcome;
  }

  async #keep(signal: AbortSignal, finished: Promise<boolean>): Promise<'stopped' | 'lost'> {
    for (;;) {
      if (signal.aborted) {
        await finished;
        return 'stopped';
      }
      const ended = await Promise.race([finished, this.#pause(signal).then(() => false)]);
      if (ended) return 'stopped';
      if (signal.aborted) continue;
      await this.#attempt(signal);
      if (this.#clock.now() >= this.#goodSince + this.#renewDeadlineMs) return 'lost';
      const holder = this.#lock.lease?.spec?.holderIdentity;
      if (holder !== undefined && holder !== '' && holder !== this.#lock.identity) return 'lost';
    }
  }

  async #attempt(signal: AbortSignal): Promise<boolean> {
    try {
      const attempt = await this.#lock.tryAcquireOrRenew({ signal });
      if (attempt.held) this.#goodSince = attempt.since;
      else this.#options.onHolder?.(attempt.holder);
      return attempt.held;
    } catch (error) {
      if (!signal.aborted) this.#options.onError?.(error);
      return false;
    }
  }

  #pause(signal: AbortSignal): Promise<void> {
    return sleep(this.#clock, this.#retryMs * (1 + 0.2 * this.#clock.random()), signal);
  }
}

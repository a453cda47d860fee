import { type Clock, sleep } from './clock.js';

/**
 * Token bucket: `burst` requests at once, then `perSecond`. Waiters are served in order; the bucket may go into
 * debt, which is how a waiter reserves its turn.
 */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #clock: Clock;
  #tokens: number;
  #updated: number;
  /** Until then nobody is served: set by a Retry-After. */
  #pausedUntil = 0;

  constructor(perSecond: number, burst: number, clock: Clock) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#clock = clock;
    this.#tokens = burst;
    this.#updated = clock.now();
  }

  async take(signal?: AbortSignal): Promise<void> {
    const now = this.#clock.now();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#updated) / 1000) * this.#perSecond);
    this.#updated = now;
    this.#tokens -= 1;
    const owed = this.#tokens >= 0 ? 0 : (-this.#tokens / this.#perSecond) * 1000;
    const wait = Math.max(owed, this.#pausedUntil - now);
    if (wait > 0) await sleep(this.#clock, wait, signal);
  }

  pause(ms: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, this.#clock.now() + ms);
  }
}

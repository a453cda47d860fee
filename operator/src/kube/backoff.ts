import type { Clock } from './clock.js';

/** Exponential back-off with jitter: the n-th wait is drawn from [1/2, 1] × min(first × 2^n, cap). */
export class Backoff {
  readonly #firstMs: number;
  readonly #capMs: number;
  readonly #clock: Clock;
  #failures = 0;

  constructor(firstMs: number, capMs: number, clock: Clock) {
    this.#firstMs = firstMs;
    this.#capMs = capMs;
    this.#clock = clock;
  }

  next(): number {
    const full = Math.min(this.#firstMs * 2 ** this.#failures, this.#capMs);
    this.#failures += 1;
    return full * (0.5 + 0.5 * this.#clock.random());
  }

  reset(): void {
    this.#failures = 0;
  }
}

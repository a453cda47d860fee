// Aggressive order flow and its typical strength, both fading with time. Pure: times are arguments.

import type { Trade } from '@flashpod/sdk';

export class FlowMeter {
  readonly #windowMs: number;
  readonly #baselineMs: number;
  #flow = 0;
  // Integrals of √|flow| and of time with the same fading: their quotient is unbiased from the start. The root
  // keeps a few giant trades from hiding every burst after them.
  #rootSum = 0;
  #weight = 0;
  #atMs: number | undefined;
  #sinceMs: number | undefined;

  constructor(windowMs: number, baselineMs: number) {
    this.#windowMs = windowMs;
    this.#baselineMs = baselineMs;
  }

  /** Value bought less value sold by aggressors within about `windowMs`, in quote. */
  get flow(): number {
    return this.#flow;
  }

  /** Typical |flow| over about `baselineMs`, in quote: the square of the time average of its root. */
  get typical(): number {
    return this.#weight === 0 ? 0 : (this.#rootSum / this.#weight) ** 2;
  }

  /** Whether enough was seen to call anything typical: twenty windows. */
  get warm(): boolean {
    return this.#sinceMs !== undefined && (this.#atMs ?? 0) - this.#sinceMs >= 20 * this.#windowMs;
  }

  /** Flow as a multiple of its typical strength; its sign is the direction. 0 until warm. */
  get score(): number {
    return this.warm && this.typical > 0 ? this.#flow / this.typical : 0;
  }

  add(trades: readonly Trade[], nowMs: number): void {
    this.pass(nowMs);
    for (const { price, quantity, side } of trades) {
      this.#flow += side === 'Buy' ? price * quantity : -price * quantity;
    }
  }

  /** Lets time pass without trades. */
  pass(nowMs: number): void {
    const elapsed = this.#atMs === undefined ? 0 : Math.max(0, nowMs - this.#atMs);
    this.#sinceMs ??= nowMs;
    this.#atMs = nowMs;
    if (elapsed === 0) return;
    // While the flow fades with exp(-t / window), its root fades half as fast.
    const rootFading = Math.exp(-elapsed / (2 * this.#windowMs));
    const root = Math.sqrt(Math.abs(this.#flow)) * 2 * this.#windowMs * (1 - rootFading);
    const keep = Math.exp(-elapsed / this.#baselineMs);
    this.#rootSum = this.#rootSum * keep + root;
    this.#weight = this.#weight * keep + elapsed;
    this.#flow *= rootFading * rootFading;
  }
}

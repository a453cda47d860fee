// The core's clock as this process sees it.

import type { Clock } from '@flashpod/sdk';

/**
 * The core stamps with CLOCK_BOOTTIME; Node can only read CLOCK_MONOTONIC. On one host the first is ahead of the
 * second by the time the machine was suspended: never negative, growing only while it sleeps. Every stamp of the core
 * that arrives here shows that offset less the time it travelled, so the largest difference seen is the best estimate,
 * wrong by less than the quickest delivery; on a machine that never slept it is exactly 0.
 */
export class CoreClock implements Clock {
  readonly #monotonicNs: () => bigint;
  #offsetNs = 0n;

  constructor(monotonicNs: () => bigint = () => process.hrtime.bigint()) {
    this.#monotonicNs = monotonicNs;
  }

  monoNs(): bigint {
    return this.#monotonicNs() + this.#offsetNs;
  }

  /** Takes a stamp that the core has just sent. */
  observe(coreMonoNs: bigint): void {
    const seen = coreMonoNs - this.#monotonicNs();
    if (seen > this.#offsetNs) this.#offsetNs = seen;
  }
}

// Time that only the test moves, and what is due in it.

import type { Clock } from '../strategy.js';

interface Task {
  readonly atMs: number;
  readonly run: () => void;
}

/**
 * Milliseconds as a double: exact to a microsecond also for times since 1970. Tasks run when time is moved past
 * them, in order of their time, and see the clock at their time.
 */
export class VirtualClock implements Clock {
  #ms: number;
  #tasks: Task[] = [];

  constructor(startMs = 1_000) {
    this.#ms = startMs;
  }

  get ms(): number {
    return this.#ms;
  }

  monoNs(): bigint {
    return BigInt(Math.round(this.#ms * 1e6));
  }

  /** Runs `run` once time has come to `atMs`; never before the next move of the clock. */
  at(atMs: number, run: () => void): void {
    const index = this.#tasks.findLastIndex((task) => task.atMs <= atMs);
    this.#tasks.splice(index + 1, 0, { atMs, run });
  }

  /** Moves to `ms`; a time that has passed already moves nothing. */
  moveTo(ms: number): void {
    let next = this.#tasks[0];
    while (next !== undefined && next.atMs <= ms) {
      this.#tasks.shift();
      this.#ms = Math.max(this.#ms, next.atMs);
      next.run();
      next = this.#tasks[0];
    }
    this.#ms = Math.max(this.#ms, ms);
  }

  /** Sets the clock without letting the time between pass: tasks keep their distance to now. */
  jumpTo(ms: number): void {
    const by = ms - this.#ms;
    this.#tasks = this.#tasks.map((task) => ({ ...task, atMs: task.atMs + by }));
    this.#ms = ms;
  }
}

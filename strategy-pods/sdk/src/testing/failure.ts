// An exception of a strategy, with where and when it happened.

import { StrategyError } from '../errors.js';

/** What the strategy was given when it threw. */
export interface Moment {
  /** Counts everything that a stage was given: books, trades, order events, timers; from 1. */
  readonly index: number;
  /** Virtual time, ms. */
  readonly atMs: number;
  /** E.g. `book BTCUSDC version 17`. */
  readonly what: string;
}

export class StrategyFailure extends StrategyError {
  readonly callback: string;
  readonly moment: Moment;

  constructor(strategy: string, callback: string, moment: Moment, cause: unknown) {
    const message = cause instanceof Error ? cause.message : String(cause);
    super(
      'STRATEGY_THREW',
      `${callback} of ${strategy} threw at event ${moment.index} (${moment.what}, ${moment.atMs} ms): ${message}`,
      { cause },
    );
    this.name = 'StrategyFailure';
    this.callback = callback;
    this.moment = moment;
  }
}

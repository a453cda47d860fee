// Own orders in front of a recorded market: the core's estimate, event by event.

import { binding, type Market as NativeMarket } from './binding.js';
import * as check from './check.js';
import { call, nativeError } from './errors.js';
import {
  checkedOrder,
  type NewOrder,
  type PassiveFill,
  type Placement,
  type QueueModel,
  queueModelOf,
} from './matching.js';
import { Replay } from './replay.js';

/**
 * Follows a `Replay` that was opened with `market: true`. You go through the batches, and before you act on an event
 * you let it happen here as well: `market.advance(1)`, or later for many at once. `symbol` is the number that a pair
 * has in the batches.
 */
export class Market implements Disposable {
  readonly #market: NativeMarket;

  constructor(replay: Replay, options: { readonly queueModel?: QueueModel } = {}) {
    if (!(replay instanceof Replay)) throw nativeError('INVALID_ARGUMENT', 'replay is no Replay');
    const queueModel = queueModelOf(options);
    this.#market = call(() => new binding.Market(replay.native, queueModel));
  }

  /** Lets the next `events` of the replay happen, all or none; how many fills wait for `takeFills`. */
  advance(events: number): number {
    check.wholeNumber('events', events, 0, 0xffff_ffff);
    return call(() => this.#market.advance(events));
  }

  place(symbol: number, order: NewOrder): Placement {
    check.wholeNumber('symbol', symbol, 0, 255);
    const ask = checkedOrder(order);
    return call(() => this.#market.place(symbol, ask));
  }

  /** What the order had left; undefined when it does not rest (any more). */
  cancel(key: number): string | undefined {
    check.wholeNumber('key', key, 0);
    return call(() => this.#market.cancel(key)) ?? undefined;
  }

  /** Estimated quantity before an own order; undefined when it does not rest. */
  aheadOf(key: number): string | undefined {
    check.wholeNumber('key', key, 0);
    return call(() => this.#market.aheadOf(key)) ?? undefined;
  }

  /** The fills of resting orders since the last call, in order. */
  takeFills(): PassiveFill[] {
    return call(() => this.#market.takeFills());
  }

  dispose(): void {
    this.#market.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

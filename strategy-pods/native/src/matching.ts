// Matching: order by order where every order is known, by estimate where only displayed quantities and trades are.

import {
  binding,
  type EstimatedBook as NativeEstimate,
  type FifoBook as NativeFifo,
  type OrderAsk,
  type PassiveFillTold,
  type PlacementTold,
} from './binding.js';
import { type LevelText, type Side, sides } from './book.js';
import type { Levels } from './check.js';
import * as check from './check.js';
import { call } from './errors.js';

/**
 * An order, in exact decimal texts. `key` is a number of your choice that you never use twice. Market orders have no
 * price and either `quantity` (base) or `quoteAmount` (quote); all others have price and quantity.
 */
export type NewOrder = Readonly<OrderAsk>;
export type OrderType = OrderAsk['type'];
/** What came of an arriving order: refused, executed at once (`matches`), resting. */
export type Placement = Readonly<PlacementTold>;
/** A resting own order was hit by a trade. */
export type PassiveFill = Readonly<PassiveFillTold>;

export type QueueModel = 'conservative' | 'proportional';
export const queueModels = ['conservative', 'proportional'] as const;
const orderTypes = ['Limit', 'LimitMaker', 'Ioc', 'Fok', 'Market'] as const;

export function checkedOrder(order: NewOrder): OrderAsk {
  check.object('order', order);
  check.wholeNumber('key', order.key, 0);
  check.oneOf('side', order.side, sides);
  check.oneOf('type', order.type, orderTypes);
  for (const name of ['price', 'quantity', 'quoteAmount', 'lot'] as const)
    if (order[name] !== undefined) check.text(name, order[name]);
  return order;
}

/** All resting orders, oldest first at each price. */
export class FifoBook implements Disposable {
  readonly #book: NativeFifo = call(() => new binding.FifoBook());

  /** Matches an arriving order; what its type allows rests behind all others at its price. */
  place(order: NewOrder): Placement {
    const ask = checkedOrder(order);
    return call(() => this.#book.place(ask));
  }

  /** What the order had left; undefined when it did not rest. */
  cancel(key: number): string | undefined {
    check.wholeNumber('key', key, 0);
    return call(() => this.#book.cancel(key)) ?? undefined;
  }

  /** Quantity before the order at its price; undefined when it does not rest. */
  aheadOf(key: number): string | undefined {
    check.wholeNumber('key', key, 0);
    return call(() => this.#book.aheadOf(key)) ?? undefined;
  }

  /** The best `count` displayed levels, best first. */
  levels(side: Side, count: number): LevelText[] {
    check.oneOf('side', side, sides);
    check.wholeNumber('count', count, 0, 0xffff_ffff);
    return call(() => this.#book.levels(side, count));
  }

  /** The orders at one price, oldest first. */
  queue(side: Side, price: string): { readonly key: number; readonly quantity: string }[] {
    check.oneOf('side', side, sides);
    check.text('price', price);
    return call(() => this.#book.queue(side, price));
  }

  /** The changes of displayed levels since the last call, in order; quantity 0: the level is gone. */
  drainChanges(): (LevelText & { readonly side: Side })[] {
    return call(() => this.#book.drainChanges());
  }

  dispose(): void {
    this.#book.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/**
 * Own orders in front of a displayed book and a trade tape. The rules are those of `crates/matching` (its README has
 * them in one table); the queue model says where cancels happened: `conservative` behind us first, `proportional`
 * anywhere with equal chance.
 */
export class EstimatedBook implements Disposable {
  readonly #book: NativeEstimate;

  constructor(options: { readonly queueModel?: QueueModel } = {}) {
    const { queueModel = 'conservative' } = check.object('options', options);
    check.oneOf('queueModel', queueModel, queueModels);
    this.#book = call(() => new binding.EstimatedBook(queueModel));
  }

  /** Matches an arriving own order against what is displayed; the rest joins behind it. */
  place(order: NewOrder): Placement {
    const ask = checkedOrder(order);
    return call(() => this.#book.place(ask));
  }

  /** What the order had left; undefined when it did not rest. */
  cancel(key: number): string | undefined {
    check.wholeNumber('key', key, 0);
    return call(() => this.#book.cancel(key)) ?? undefined;
  }

  /** Estimated quantity before an own order; undefined when it does not rest. */
  aheadOf(key: number): string | undefined {
    check.wholeNumber('key', key, 0);
    return call(() => this.#book.aheadOf(key)) ?? undefined;
  }

  /** One depth update, cut as recorded; `venueMs` is the venue's own time of it. */
  onDepth(venueMs: number, bids: Levels, asks: Levels): void {
    check.wholeNumber('venueMs', venueMs, 0);
    const [b, a] = [check.levels('bids', bids), check.levels('asks', asks)];
    call(() => this.#book.onDepth(venueMs, b.prices, b.quantities, a.prices, a.quantities));
  }

  /** One trade of others; `taker` is the side of the aggressor. */
  onTrade(venueMs: number, taker: Side, price: number, quantity: number): PassiveFill[] {
    check.wholeNumber('venueMs', venueMs, 0);
    check.oneOf('taker', taker, sides);
    check.finiteNumber('price', price);
    check.finiteNumber('quantity', quantity);
    return call(() => this.#book.onTrade(price, quantity, taker, venueMs));
  }

  dispose(): void {
    this.#book.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

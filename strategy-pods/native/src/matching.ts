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
const queueModels = ['conservative', 'proportional'] as const;
const orderTypes = ['Limit', 'LimitMaker', 'Ioc', 'Fok', 'Market'] as const;

/** The model that options name. */
export function queueModelOf(options: { readonly queueModel?: QueueModel }): QueueModel {
  const { queueModel = 'conservative' } = check.object('options', options);
  return check.oneOf('queueModel', queueModel, queueModels);
}

export function checkedOrder(order: NewOrder): OrderAsk {
  check.object('order', order);
  check.wholeNumber('key', order.key, 0);
  check.oneOf('side', order.side, sides);
  check.oneOf('type', order.type, orderTypes);
  for (const name of ['price', 'quantity', 'quoteAmount', 'lot'] as const)
    if (order[name] !== undefined) check.text(name, order[name]);
  return order;
}

/** What both books do with orders. */
abstract class OrderBook<Native extends NativeFifo | NativeEstimate> implements Disposable {
  protected readonly native: Native;

  protected constructor(make: () => Native) {
    this.native = call(make);
  }

  /** Matches an arriving order; what its type allows rests behind all others at its price, displayed ones too. */
  place(order: NewOrder): Placement {
    const ask = checkedOrder(order);
    return call(() => this.native.place(ask));
  }

  /** What the order had left; undefined when it did not rest. */
  cancel(key: number): string | undefined {
    check.wholeNumber('key', key, 0);
    return call(() => this.native.cancel(key)) ?? undefined;
  }

  /** Quantity before the order at its price, estimated where it is not known; undefined when it does not rest. */
  aheadOf(key: number): string | undefined {
    check.wholeNumber('key', key, 0);
    return call(() => this.native.aheadOf(key)) ?? undefined;
  }

  dispose(): void {
    this.native.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** All resting orders, oldest first at each price. */
export class FifoBook extends OrderBook<NativeFifo> {
  constructor() {
    super(() => new binding.FifoBook());
  }

  /** The best `count` displayed levels, best first. */
  levels(side: Side, count: number): LevelText[] {
    check.oneOf('side', side, sides);
    check.wholeNumber('count', count, 0, 0xffff_ffff);
    return call(() => this.native.levels(side, count));
  }

  /** The orders at one price, oldest first. */
  queue(side: Side, price: string): { readonly key: number; readonly quantity: string }[] {
    check.oneOf('side', side, sides);
    check.text('price', price);
    return call(() => this.native.queue(side, price));
  }

  /** The changes of displayed levels since the last call, in order; quantity 0: the level is gone. */
  drainChanges(): (LevelText & { readonly side: Side })[] {
    return call(() => this.native.drainChanges());
  }
}

/**
 * Own orders in front of a displayed book and a trade tape. The rules are those of `crates/matching` (its README has
 * them in one table); the queue model says where cancels happened: `conservative` behind us first, `proportional`
 * anywhere with equal chance.
 */
export class EstimatedBook extends OrderBook<NativeEstimate> {
  constructor(options: { readonly queueModel?: QueueModel } = {}) {
    super(() => new binding.EstimatedBook(queueModelOf(options)));
  }

  /** One depth update, cut as recorded; `venueMs` is the venue's own time of it. */
  onDepth(venueMs: number, bids: Levels, asks: Levels): void {
    check.wholeNumber('venueMs', venueMs, 0);
    const [b, a] = [check.levels('bids', bids), check.levels('asks', asks)];
    call(() => this.native.onDepth(venueMs, b.prices, b.quantities, a.prices, a.quantities));
  }

  /** One trade of others; `taker` is the side of the aggressor. */
  onTrade(venueMs: number, taker: Side, price: number, quantity: number): PassiveFill[] {
    check.wholeNumber('venueMs', venueMs, 0);
    check.oneOf('taker', taker, sides);
    check.finiteNumber('price', price);
    check.finiteNumber('quantity', quantity);
    return call(() => this.native.onTrade(price, quantity, taker, venueMs));
  }
}

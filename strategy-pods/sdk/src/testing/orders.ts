// Orders as the kit sees them, and what became of them.

import type { DecimalText, OrderRef, SymbolName } from '../brand.js';
import type { OrderEventKind, OrderType, Side } from '../events.js';
import type { WantedQuotesOutput } from '../outputs.js';

/** An intent, or one quote of a wanted set: what a test lets happen to it is said of this. */
export interface TestOrder {
  readonly symbol: SymbolName;
  readonly side: Side;
  readonly type: OrderType;
  /** Undefined for Market. */
  readonly price: DecimalText | undefined;
  readonly quantity: DecimalText;
  /** Of an intent. */
  readonly ref?: OrderRef | undefined;
  /** Of a quote: 0 the bid, 1 the ask. */
  readonly slot?: number | undefined;
}

export interface TestFill {
  readonly price: DecimalText;
  readonly quantity: DecimalText;
  readonly maker: boolean;
}

/** What the exchange, real or simulated, says of an order. */
export interface OrderReport {
  readonly order: TestOrder;
  readonly kind: OrderEventKind;
  readonly fill?: TestFill | undefined;
  readonly code?: string;
  readonly text?: string;
}

/** The quotes of a wanted set as orders. */
export interface WantedPair {
  readonly bid: TestOrder | undefined;
  readonly ask: TestOrder | undefined;
  readonly toleranceTicks: number;
}

export function pairOf({ symbol, quotes, toleranceTicks }: WantedQuotesOutput): WantedPair {
  const order = (slot: number): TestOrder | undefined => {
    const quote = quotes.find((one) => one.slot === slot);
    return quote && { symbol, type: 'LimitMaker', ...quote };
  };
  return { bid: order(0), ask: order(1), toleranceTicks };
}

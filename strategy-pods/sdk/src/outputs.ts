// What a strategy wants done, stamped with what it was decided on.

import type { OrderRef, PriceText, QuantityText, SymbolName } from './brand.js';
import type { OrderType, Side } from './events.js';

export interface QuoteOutput {
  /** 0 the bid, 1 the ask. */
  readonly slot: number;
  readonly side: Side;
  readonly price: PriceText;
  readonly quantity: QuantityText;
}

/** The whole set of quotes wanted for a symbol; it replaces the former set. */
export interface WantedQuotesOutput {
  readonly kind: 'quotes';
  readonly symbol: SymbolName;
  readonly quotes: readonly QuoteOutput[];
  readonly toleranceTicks: number;
  readonly bookVersion: bigint;
  /** Arrival at the core of the book or trades that it answers; 0n when it answers neither. */
  readonly causeMonoNs: bigint;
  readonly decidedMonoNs: bigint;
}

export interface IntentOutput {
  readonly kind: 'intent';
  readonly ref: OrderRef;
  readonly symbol: SymbolName;
  readonly side: Side;
  readonly type: OrderType;
  /** Undefined for Market. */
  readonly price: PriceText | undefined;
  readonly quantity: QuantityText;
  readonly reduceOnly: boolean;
  readonly bookVersion: bigint;
  /** Arrival at the core of the book or trades that it answers; 0n when it answers neither. */
  readonly causeMonoNs: bigint;
  readonly decidedMonoNs: bigint;
}

export interface RuleParameterOutput {
  readonly name: string;
  readonly value: string;
}

/** The core quotes a symbol by a rule of its own; it replaces the rule and the quotes wanted before. */
export interface RuleOutput {
  readonly kind: 'rule';
  readonly symbol: SymbolName;
  /** Empty: none any more, and its quotes are pulled. */
  readonly rule: string;
  readonly parameters: readonly RuleParameterOutput[];
}

/** One order (ref), every order of a symbol, or every order. */
export interface CancelOutput {
  readonly kind: 'cancel';
  readonly ref: OrderRef | undefined;
  readonly symbol: SymbolName | undefined;
}

export type Output = WantedQuotesOutput | RuleOutput | IntentOutput | CancelOutput;

// The shape of a strategy and of the world it sees.

import type { z } from 'zod';
import type { BookView } from './book.js';
import type { AssetName, DecimalText, OrderRef, PriceText, QuantityText, SymbolName } from './brand.js';
import type { Mode, OrderEvent, OrderType, Position, Side, TradeBatch, TradingState } from './events.js';
import type { Instrument } from './instrument.js';
import type { CoreRule } from './rules.js';

export interface Clock {
  /** Nanoseconds on the core's monotonic clock. */
  monoNs(): bigint;
}

export interface Logger {
  debug(message: string, fields?: object): void;
  info(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  error(message: string, fields?: object): void;
}

export interface Metrics {
  /** Adds to a counter of the strategy, shown as `flashpod_strategy_count_total{name}`. */
  count(name: string, by?: number): void;
  /** Sets a gauge of the strategy, shown as `flashpod_strategy_gauge{name,symbol}`. */
  gauge(name: string, symbol: SymbolName, value: number): void;
}

export interface QuoteSide {
  readonly price: PriceText;
  readonly quantity: QuantityText;
}

export interface QuoteOptions {
  /** A resting quote is kept while its price is within this many ticks of the wanted one. Default 0. */
  readonly tolerance?: number;
}

export interface IntentRequest {
  readonly symbol: SymbolName;
  readonly side: Side;
  readonly type: OrderType;
  readonly price?: PriceText;
  readonly quantity: QuantityText;
  /** Refused by the core unless it makes the position smaller. */
  readonly reduceOnly?: boolean;
}

/** What callbacks read and act through. Reads show the newest state; acts leave when the callback returns. */
export interface Context<P, M> {
  readonly parameters: P;
  /** The strategy's own state, made once per process by `memory`. */
  readonly memory: M;
  readonly symbols: readonly SymbolName[];
  readonly mode: Mode;
  readonly state: TradingState;
  readonly balances: ReadonlyMap<AssetName, DecimalText>;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Milliseconds of the session clock; only differences mean anything. */
  nowMs(): number;
  instrument(symbol: SymbolName): Instrument;
  /** Undefined until the first update of a session. */
  book(symbol: SymbolName): BookView | undefined;
  position(symbol: SymbolName): Position;
  /** The quotes wanted from now on; leave a side out to pull it. The core sends them as LIMIT_MAKER. */
  quote(symbol: SymbolName, bid?: QuoteSide, ask?: QuoteSide, options?: QuoteOptions): void;
  /**
   * Lets the core itself quote the pair from now on: on each change of its book, in microseconds, through the same
   * checks, limits and rate budget as `quote`. Call it again to steer its parameters; without a rule its quotes are
   * pulled. `quote` and `cancelAll` end it. It is said again in each session, and holds while this process is heard.
   */
  setRule(symbol: SymbolName, rule?: CoreRule): void;
  /** The rule that was asked for last. */
  rule(symbol: SymbolName): CoreRule | undefined;
  /** Sends one order; every event of it carries the returned ref. */
  send(intent: IntentRequest): OrderRef;
  cancel(ref: OrderRef): void;
  cancelAll(symbol?: SymbolName): void;
}

export interface StrategyDefinition<P, M> {
  /** Lower-case words joined by dashes: the name in manifests. */
  readonly name: string;
  readonly version: string;
  readonly description: string;
  /** A strict object; every parameter with a default and a description that says its unit. */
  readonly parameters: z.ZodType<P>;
  /** Milliseconds between `onTimer` calls; none without it. */
  readonly timerMs?: number;
  memory(parameters: P): M;
  /** The rule by which the core quotes a pair from the start; `context.setRule` steers it. */
  rule?(parameters: P, symbol: SymbolName): CoreRule | undefined;
  onStart?(context: Context<P, M>): void;
  onBook?(context: Context<P, M>, book: BookView): void;
  onTrade?(context: Context<P, M>, batch: TradeBatch): void;
  onOrder?(context: Context<P, M>, event: OrderEvent): void;
  onTimer?(context: Context<P, M>): void;
  onStop?(context: Context<P, M>): void;
}

/** A strategy whose parameter and memory types do not matter to the holder, e.g. a registry. */
// biome-ignore lint/suspicious/noExplicitAny: P is both read and written, so only `any` accepts every strategy
export type AnyStrategy = StrategyDefinition<any, any>;

/** Gives a strategy its types: callbacks know the parameters from the schema and the memory from `memory`. */
export function defineStrategy<P, M>(definition: StrategyDefinition<P, M>): StrategyDefinition<P, M> {
  return definition;
}

// Write a strategy: define it, read books, quote and send with exact decimals.

// Parameters are zod schemas; a strategy that takes zod from here needs no copy of its own.
export { z } from 'zod';

export { affordable } from './balances.js';
export {
  type BookSide,
  type BookView,
  bestAsk,
  bestBid,
  depth,
  hasBothSides,
  imbalance,
  microprice,
  mid,
  spread,
} from './book.js';
export type {
  AssetName,
  ClientOrderId,
  DecimalText,
  OrderRef,
  PriceText,
  QuantityText,
  SymbolName,
} from './brand.js';
export {
  type Amount,
  amountOf,
  divideFixed,
  type Fixed,
  fixedFromNumber,
  formatAmount,
  formatFixed,
  notionalOf,
  parseAmount,
  parseFixed,
  type Rounding,
  roundTo,
  toNumber,
} from './decimal.js';
export { type ErrorCode, StrategyError, strategyErrors } from './errors.js';
export type {
  Fill,
  Mode,
  OrderEvent,
  OrderEventKind,
  OrderType,
  Position,
  Side,
  Snapshot,
  Trade,
  TradeBatch,
  TradingState,
} from './events.js';
export { isFinal, opposite } from './events.js';
export {
  bpsToTicks,
  type Instrument,
  type InstrumentTerms,
  isSellable,
  makeInstrument,
  quantityForNotional,
  roundPrice,
  roundQuantity,
} from './instrument.js';
export type {
  CancelOutput,
  IntentOutput,
  Output,
  QuoteOutput,
  RuleOutput,
  RuleParameterOutput,
  WantedQuotesOutput,
} from './outputs.js';
export { decimalParameter, parametersSchema, parseParameters } from './parameters.js';
export type { CoreRule, RuleAnswer, TouchRule } from './rules.js';
export { type SessionOptions, StrategySession } from './session.js';
export {
  type AnyStrategy,
  type Clock,
  type Context,
  defineStrategy,
  type IntentRequest,
  type Logger,
  type Metrics,
  type QuoteOptions,
  type QuoteSide,
  type StrategyDefinition,
} from './strategy.js';
export { sdkVersion } from './version.js';

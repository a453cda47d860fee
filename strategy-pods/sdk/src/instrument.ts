// Trading rules of a pair, and the texts that obey them.

import type { AssetName, DecimalText, PriceText, QuantityText, SymbolName } from './brand.js';
import {
  type Amount,
  divideFixed,
  type Fixed,
  fixedFromNumber,
  formatFixed,
  notionalOf,
  parseAmount,
  parseFixed,
  type Rounding,
  roundTo,
} from './decimal.js';

export interface InstrumentTerms {
  readonly symbol: SymbolName;
  readonly baseAsset: AssetName;
  readonly quoteAsset: AssetName;
  readonly tickSize: DecimalText;
  readonly lotSize: DecimalText;
  /** Smallest quantity of an order, in base. */
  readonly minQuantity: DecimalText;
  /** Smallest price × quantity of an order, in quote. */
  readonly minNotional: DecimalText;
  /** Shares of the traded value, e.g. `0.0005` for 5 basis points. */
  readonly makerFee: DecimalText;
  readonly takerFee: DecimalText;
}

export interface Instrument extends InstrumentTerms {
  readonly tick: Fixed;
  readonly lot: Fixed;
  readonly minQuantityUnits: Fixed;
  readonly minNotionalAmount: Amount;
}

/** A price or quantity as a strategy has it: decimal text, exact units, or the result of a model. */
type Numeric = string | Fixed | number;

export function makeInstrument(terms: InstrumentTerms): Instrument {
  return {
    ...terms,
    tick: parseFixed(terms.tickSize),
    lot: parseFixed(terms.lotSize),
    minQuantityUnits: parseFixed(terms.minQuantity),
    minNotionalAmount: parseAmount(terms.minNotional),
  };
}

function units(value: Numeric): Fixed {
  if (typeof value === 'bigint') return value;
  return typeof value === 'number' ? fixedFromNumber(value) : parseFixed(value);
}

/** The price on the tick grid; give `down` for bids and `up` for asks so that rounding never crosses the book. */
export function roundPrice(instrument: Instrument, price: Numeric, rounding: Rounding): PriceText {
  return formatFixed(roundTo(units(price), instrument.tick, rounding)) as PriceText;
}

/** The quantity on the lot grid; `down` unless a minimum must be reached. */
export function roundQuantity(
  instrument: Instrument,
  quantity: Numeric,
  rounding: Rounding = 'down',
): QuantityText {
  return formatFixed(roundTo(units(quantity), instrument.lot, rounding)) as QuantityText;
}

/**
 * The quantity worth at most `notional` at `price`, on the lot grid; undefined when that is below what the venue
 * accepts (minimum quantity or minimum notional).
 */
export function quantityForNotional(
  instrument: Instrument,
  notional: Numeric,
  price: Numeric,
): QuantityText | undefined {
  const priceUnits = units(price);
  if (priceUnits <= 0n) return undefined;
  const quantity = roundTo(divideFixed(units(notional), priceUnits, 'down'), instrument.lot, 'down');
  return isSellable(instrument, quantity, priceUnits) ? (formatFixed(quantity) as QuantityText) : undefined;
}

/** Whether the venue accepts an order of `quantity` at `price`: anything smaller is dust. */
export function isSellable(instrument: Instrument, quantity: Numeric, price: Numeric): boolean {
  const lots = roundTo(units(quantity), instrument.lot, 'down');
  if (lots <= 0n || lots < instrument.minQuantityUnits) return false;
  return notionalOf(lots, units(price)) >= instrument.minNotionalAmount;
}

/** A distance in basis points of `price`, as a whole number of ticks (at least 0). */
export function bpsToTicks(instrument: Instrument, bps: number, price: number): number {
  const distance = (price * bps) / 10_000;
  return Math.max(0, Math.round(distance / Number(instrument.tickSize)));
}

// Whether own coins cover an order, so that a strategy spends no order call on a certain refusal.

import type { AssetName, DecimalText, PriceText, QuantityText } from './brand.js';
import { amountOf, fixedFromNumber, notionalOf, parseAmount, parseFixed } from './decimal.js';
import type { Side } from './events.js';
import type { Instrument } from './instrument.js';

/**
 * True when the balances cover the order before fees, or when nothing is known of the asset. Other open orders are
 * not counted: the core has the last word.
 */
export function affordable(
  balances: ReadonlyMap<AssetName, DecimalText>,
  instrument: Instrument,
  side: Side,
  quantity: QuantityText,
  price: PriceText | number,
): boolean {
  const balance = balances.get(side === 'Buy' ? instrument.quoteAsset : instrument.baseAsset);
  if (balance === undefined) return true;
  const units = parseFixed(quantity);
  const cost = side === 'Sell' ? amountOf(units) : notionalOf(units, unitsOf(price));
  return parseAmount(balance) >= cost;
}

const unitsOf = (price: PriceText | number): bigint =>
  typeof price === 'number' ? fixedFromNumber(price) : parseFixed(price);

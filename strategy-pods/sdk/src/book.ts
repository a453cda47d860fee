// Views of an order book and the prices read from it. All pure; quantities are in base, prices in quote.

import type { SymbolName } from './brand.js';

/** Best first. `prices[i]` shows `quantities[i]`. */
export interface BookSide {
  readonly prices: readonly number[];
  readonly quantities: readonly number[];
}

export interface BookView {
  readonly symbol: SymbolName;
  readonly version: bigint;
  readonly bids: BookSide;
  readonly asks: BookSide;
  /** False: the book may be wrong and must not be used to open risk. */
  readonly certified: boolean;
  /** Updates that this one replaced because the reader was slow. */
  readonly conflated: number;
  /** Arrival of the newest frame in it at the core, on the core's clock. */
  readonly receivedMonoNs: bigint;
  readonly venueUnixMs: number;
}

export const bestBid = (book: BookView): number => book.bids.prices[0] ?? Number.NaN;
export const bestAsk = (book: BookView): number => book.asks.prices[0] ?? Number.NaN;

export function hasBothSides(book: BookView): boolean {
  return book.bids.prices.length > 0 && book.asks.prices.length > 0;
}

/** Half way between the best prices; NaN when a side is empty. */
export const mid = (book: BookView): number => (bestBid(book) + bestAsk(book)) / 2;

/** Best ask less best bid; NaN when a side is empty. */
export const spread = (book: BookView): number => bestAsk(book) - bestBid(book);

/**
 * The best prices weighted by the quantity on the opposite side: near the ask when the bid is the heavier one.
 * Source: Gatheral and Oomen, "Zero-intelligence realized variance estimation" (2010).
 */
export function microprice(book: BookView): number {
  const bidQuantity = book.bids.quantities[0] ?? 0;
  const askQuantity = book.asks.quantities[0] ?? 0;
  const total = bidQuantity + askQuantity;
  if (total === 0) return mid(book);
  return (bestBid(book) * askQuantity + bestAsk(book) * bidQuantity) / total;
}

/** Quantity displayed on one side within the first `levels` levels. */
export function depth(side: BookSide, levels: number): number {
  let sum = 0;
  const count = Math.min(levels, side.quantities.length);
  for (let i = 0; i < count; i++) sum += side.quantities[i] ?? 0;
  return sum;
}

/** (bids − asks) / (bids + asks) over the first `levels` levels: −1 all asks, +1 all bids, 0 when empty. */
export function imbalance(book: BookView, levels: number): number {
  const bids = depth(book.bids, levels);
  const asks = depth(book.asks, levels);
  return bids + asks === 0 ? 0 : (bids - asks) / (bids + asks);
}

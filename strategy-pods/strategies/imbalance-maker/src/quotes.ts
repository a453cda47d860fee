// Where the two quotes belong. Pure: book, position and parameters in, prices and sizes out.

import {
  type BookView,
  bestAsk,
  bestBid,
  type Instrument,
  imbalance,
  microprice,
  type QuoteSide,
  quantityForNotional,
  roundPrice,
} from '@flashpod/sdk';
import type { Parameters } from './parameters.js';

export interface WantedPair {
  readonly bid: QuoteSide | undefined;
  readonly ask: QuoteSide | undefined;
}

const bps = (price: number, amount: number): number => (price * amount) / 10_000;

/**
 * The price that both quotes are centred on: the microprice, moved towards the heavier side of the book and against
 * the position. `inventory` is the position as a share of the largest one, −1 to 1.
 */
export function fairPrice(book: BookView, inventory: number, parameters: Parameters): number {
  const centre = microprice(book);
  const pressure = parameters.imbalanceSkewBps * imbalance(book, parameters.imbalanceLevels);
  return centre + bps(centre, pressure - parameters.inventorySkewBps * inventory);
}

/** `position` in base. Quotes stand at the touch or behind it, so that LIMIT_MAKER never crosses. */
export function wantedPair(
  instrument: Instrument,
  book: BookView,
  position: number,
  parameters: Parameters,
): WantedPair {
  const value = position * microprice(book);
  const order = Number(parameters.orderNotional);
  const most = Number(parameters.maxInventoryNotional);
  const inventory = Math.max(-1, Math.min(1, value / most));
  const fair = fairPrice(book, inventory, parameters);
  const edge = bps(fair, parameters.minEdgeBps);
  const quoteAt = (price: number, rounding: 'down' | 'up'): QuoteSide | undefined => {
    const onGrid = roundPrice(instrument, price, rounding);
    const quantity = quantityForNotional(instrument, parameters.orderNotional, onGrid);
    return quantity === undefined ? undefined : { price: onGrid, quantity };
  };
  return {
    bid: value + order <= most ? quoteAt(Math.min(bestBid(book), fair - edge), 'down') : undefined,
    ask: value - order >= -most ? quoteAt(Math.max(bestAsk(book), fair + edge), 'up') : undefined,
  };
}

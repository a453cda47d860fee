// What takers find: the newest book less what was taken from it.

import type { BookView } from '../book.js';
import { type Fixed, fixedFromNumber, toNumber } from '../decimal.js';
import type { Side } from '../events.js';
import { displayedAt, smaller } from './resting.js';

interface Offer {
  readonly price: Fixed;
  quantity: Fixed;
}

export class Liquidity {
  readonly #book: BookView;
  // Made when first taken from: most books never are.
  #offers: { readonly Buy: Offer[]; readonly Sell: Offer[] } | undefined;

  constructor(book: BookView) {
    this.#book = book;
  }

  /** What is displayed at a price on the side that an order would join. */
  displayed(side: Side, price: Fixed): Fixed {
    return displayedAt(this.#book, side, toNumber(price));
  }

  /** How much an order of `side` could take up to `limit`; undefined: at any price. */
  takes(side: Side, limit: Fixed | undefined): Fixed {
    return this.#within(side, limit).reduce((sum, { quantity }) => sum + quantity, 0n);
  }

  /** The worst price that a market order of this size would pay. */
  worst(side: Side, quantity: Fixed): Fixed {
    let left = quantity;
    let price = 0n;
    for (const offer of this.#within(side, undefined)) {
      if (left <= 0n) break;
      left -= offer.quantity;
      price = offer.price;
    }
    return price;
  }

  take(side: Side, limit: Fixed | undefined, quantity: Fixed): { price: Fixed; quantity: Fixed }[] {
    const taken: { price: Fixed; quantity: Fixed }[] = [];
    let left = quantity;
    for (const offer of this.#within(side, limit)) {
      if (left === 0n) break;
      const part = smaller(offer.quantity, left);
      if (part === 0n) continue;
      offer.quantity -= part;
      left -= part;
      taken.push({ price: offer.price, quantity: part });
    }
    return taken;
  }

  #within(side: Side, limit: Fixed | undefined): Offer[] {
    this.#offers ??= { Buy: offersOf(this.#book.asks), Sell: offersOf(this.#book.bids) };
    const reaches = ({ price }: Offer) =>
      limit === undefined || (side === 'Buy' ? price <= limit : price >= limit);
    return this.#offers[side].filter(reaches);
  }
}

function offersOf({ prices, quantities }: BookView['asks']): Offer[] {
  return prices.map((price, index) => ({
    price: fixedFromNumber(price),
    quantity: fixedFromNumber(quantities[index] ?? 0),
  }));
}

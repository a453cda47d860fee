// One own order in the queue of its price.

import type { BookView } from '../book.js';
import { type Fixed, fixedFromNumber, toNumber } from '../decimal.js';
import type { Side } from '../events.js';
import type { TestOrder } from './orders.js';

export class Resting {
  readonly order: TestOrder;
  readonly price: Fixed;
  readonly #level: number;
  #remaining: Fixed;
  #ahead: Fixed;

  constructor(order: TestOrder, price: Fixed, remaining: Fixed, ahead: Fixed) {
    this.order = order;
    this.price = price;
    this.#level = toNumber(price);
    this.#remaining = remaining;
    this.#ahead = ahead;
  }

  get remaining(): Fixed {
    return this.#remaining;
  }

  /** Displayed quantity that a trade must eat before it comes to this order. */
  get ahead(): Fixed {
    return this.#ahead;
  }

  /** A level that displays less than was ahead has nothing but that ahead any more. */
  see(book: BookView): void {
    const displayed = displayedAt(book, this.order.side, this.#level);
    if (displayed < this.#ahead) this.#ahead = displayed;
  }

  /** How much of a trade's `quantity` falls to this order. */
  meet(price: Fixed, quantity: Fixed, aggressor: Side): Fixed {
    if (aggressor === this.order.side) return 0n;
    const through = this.order.side === 'Buy' ? price < this.price : price > this.price;
    if (!through && price !== this.price) return 0n;
    const eaten = through ? 0n : smaller(quantity, this.#ahead);
    this.#ahead = through ? 0n : this.#ahead - eaten;
    const filled = smaller(quantity - eaten, this.#remaining);
    this.#remaining -= filled;
    return filled;
  }
}

/** `Math.min` takes no bigint. */
export const smaller = (a: Fixed, b: Fixed): Fixed => (a < b ? a : b);

/** What a book displays at a price on the side of an order. */
export function displayedAt(book: BookView, side: Side, price: number): Fixed {
  const { prices, quantities } = side === 'Buy' ? book.bids : book.asks;
  const index = prices.indexOf(price);
  return index < 0 ? 0n : fixedFromNumber(quantities[index] ?? 0);
}

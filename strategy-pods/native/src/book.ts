// An order book that you feed yourself.

import { binding, type Book as NativeBook } from './binding.js';
import type { Levels } from './check.js';
import * as check from './check.js';
import { call } from './errors.js';
import { BookWindow } from './window.js';

export type Side = 'Buy' | 'Sell';
export const sides = ['Buy', 'Sell'] as const;

/** Exact decimal texts. */
export interface LevelText {
  readonly price: string;
  readonly quantity: string;
}

export interface BookOptions {
  /** How many levels of each side the window shows, 0 to 5000. Default 20. */
  readonly levels?: number;
}

/** The most levels of a window. */
export const mostLevels = 5_000;

/**
 * Quantities by price, both sides, exact inside. Bids are `Buy`.
 *
 * Prices are at least 1e-8, quantities at least 0, both at most 90,071,992 (beyond, a double no longer tells 1e-8
 * apart); the nearest 1e-8 is meant. Anything else is an `InvalidArgumentError`, and then nothing was changed.
 */
export class Book implements Disposable {
  readonly window: BookWindow;
  readonly #book: NativeBook;

  constructor(options: BookOptions = {}) {
    const { levels = 20 } = check.object('options', options);
    check.wholeNumber('levels', levels, 0, mostLevels);
    this.#book = call(() => new binding.Book(levels));
    this.window = new BookWindow(this.#book.window(), levels);
  }

  /** Replaces everything. Levels may come in any order; of a repeated price the last one counts. */
  load(bids: Levels, asks: Levels): void {
    const [b, a] = [check.levels('bids', bids), check.levels('asks', asks)];
    call(() => this.#book.load(b.prices, b.quantities, a.prices, a.quantities));
  }

  /** Sets levels, in order; quantity 0 removes one. */
  apply(bids: Levels, asks: Levels): void {
    const [b, a] = [check.levels('bids', bids), check.levels('asks', asks)];
    call(() => this.#book.apply(b.prices, b.quantities, a.prices, a.quantities));
  }

  /** Quantity at a price; 0 when there is none. */
  quantityAt(side: Side, price: number): number {
    check.oneOf('side', side, sides);
    check.finiteNumber('price', price);
    return call(() => this.#book.quantityAt(side, price));
  }

  /** The best `count` levels as exact decimal texts, best first. */
  top(side: Side, count: number): LevelText[] {
    check.oneOf('side', side, sides);
    check.wholeNumber('count', count, 0, 0xffff_ffff);
    return call(() => this.#book.top(side, count));
  }

  /** Frees the levels now and not when the garbage collector comes by. */
  dispose(): void {
    this.#book.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

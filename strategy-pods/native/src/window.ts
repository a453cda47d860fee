// The levels of a book as typed arrays on memory that the addon writes: no copy, no call.

import type { Levels } from './check.js';

// The layout is that of `window.rs`.
const header = 5;

/**
 * What a book shows. The arrays never change, their content does: it is that of the book's last change, so copy what
 * must stay (`prices.slice()`); they can be cloned to another thread but not transferred. They stay readable for as
 * long as you keep them, also when the book was disposed of; then they show its last state. Don't write into them: the
 * book does not hear of it, and overwrites it. They may be passed as levels, to the book itself too.
 *
 * Level `i` of a side is `prices[i]`, `quantities[i]`, best first; beyond its last level prices are NaN and quantities
 * 0. Doubles: exact for numbers of up to 15 significant digits.
 */
export class BookWindow {
  readonly bids: Levels;
  readonly asks: Levels;
  readonly #header: Float64Array;

  constructor(memory: ArrayBuffer, levels: number) {
    const part = (index: number) => new Float64Array(memory, 8 * (header + index * levels), levels);
    this.#header = new Float64Array(memory, 0, header);
    this.bids = { prices: part(0), quantities: part(1) };
    this.asks = { prices: part(2), quantities: part(3) };
  }

  /** Update id of this state; 0 for a book without versions. */
  get version(): number {
    return this.#header[0] as number;
  }

  /** When the venue made the update that led here, milliseconds since 1970; 0 after a snapshot. */
  get venueMs(): number {
    return this.#header[1] as number;
  }

  /** How many levels the whole side has, shown or not. */
  get bidLevels(): number {
    return this.#header[2] as number;
  }

  get askLevels(): number {
    return this.#header[3] as number;
  }

  /** Whether the book may be relied upon. A book without certificate says no. */
  get certified(): boolean {
    return this.#header[4] === 1;
  }
}

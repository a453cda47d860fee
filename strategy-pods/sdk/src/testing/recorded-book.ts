// The book of a recorded pair: snapshot, then diffs, with the continuity that makes it certified.

import type { BookSide, BookView } from '../book.js';
import type { SymbolName } from '../brand.js';
import type { FrameEvent, PriceLevels } from './frame.js';

type Depth = Extract<FrameEvent, { kind: 'depth' }>;
type Snapshot = Extract<FrameEvent, { kind: 'snapshot' }>;

/** Sorted best first; `direction` is 1 when lower prices are better (asks). */
class RecordedSide {
  readonly prices: number[] = [];
  readonly quantities: number[] = [];
  readonly #direction: 1 | -1;

  constructor(direction: 1 | -1) {
    this.#direction = direction;
  }

  clear(): void {
    this.prices.length = 0;
    this.quantities.length = 0;
  }

  set(price: number, quantity: number): void {
    let [low, high] = [0, this.prices.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#direction * ((this.prices[middle] ?? 0) - price) < 0) low = middle + 1;
      else high = middle;
    }
    const known = this.prices[low] === price;
    if (quantity === 0) {
      if (!known) return;
      this.prices.splice(low, 1);
      this.quantities.splice(low, 1);
    } else if (known) {
      this.quantities[low] = quantity;
    } else {
      this.prices.splice(low, 0, price);
      this.quantities.splice(low, 0, quantity);
    }
  }

  top(levels: number): BookSide {
    return { prices: this.prices.slice(0, levels), quantities: this.quantities.slice(0, levels) };
  }
}

export class RecordedBook {
  readonly #symbol: SymbolName;
  readonly #levels: number;
  readonly #bids = new RecordedSide(-1);
  readonly #asks = new RecordedSide(1);
  /** Diffs from before the snapshot; undefined once there was one. */
  #waiting: Depth[] | undefined = [];
  #version = 0;
  #fresh = false;
  #certified = false;

  constructor(symbol: SymbolName, levels: number) {
    this.#symbol = symbol;
    this.#levels = levels;
  }

  /** False before the first snapshot. */
  get begun(): boolean {
    return this.#waiting === undefined;
  }

  restore({ version, bids, asks }: Snapshot): void {
    this.#bids.clear();
    this.#asks.clear();
    this.#change(bids, asks);
    this.#version = version;
    this.#fresh = true;
    this.#certified = true;
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const diff of waiting) this.apply(diff);
  }

  /** Returns false for a diff that changed nothing: too early, or known already. */
  apply(diff: Depth): boolean {
    if (this.#waiting !== undefined) {
      this.#waiting.push(diff);
      return false;
    }
    // Binance's rule: spot drops up to and with lastUpdateId, futures keep the diff that ends on it.
    const old = diff.previous === undefined ? diff.last <= this.#version : diff.last < this.#version;
    if (old) return false;
    const follows =
      diff.previous === undefined || this.#fresh
        ? diff.first <= this.#version + 1
        : diff.previous === this.#version;
    if (!follows) this.#certified = false;
    this.#change(diff.bids, diff.asks);
    this.#version = diff.last;
    this.#fresh = false;
    return true;
  }

  view(receivedMonoNs: bigint, venueUnixMs: number): BookView {
    return {
      symbol: this.#symbol,
      version: BigInt(this.#version),
      bids: this.#bids.top(this.#levels),
      asks: this.#asks.top(this.#levels),
      certified: this.#certified,
      conflated: 0,
      receivedMonoNs,
      venueUnixMs,
    };
  }

  #change(bids: PriceLevels, asks: PriceLevels): void {
    for (const [price, quantity] of bids) this.#bids.set(Number(price), Number(quantity));
    for (const [price, quantity] of asks) this.#asks.set(Number(price), Number(quantity));
  }
}

// For tests: a recorded Binance market as the events a strategy would get, without a core.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { BookSide, BookView, SymbolName, TradeBatch } from '@flashpod/sdk';

export type MarketEvent = { readonly atMs: number } & (
  | { readonly kind: 'book'; readonly book: BookView }
  | { readonly kind: 'trades'; readonly batch: TradeBatch }
);

type Levels = readonly (readonly [string, string])[];
interface Frame {
  readonly lastUpdateId?: number;
  readonly bids?: Levels;
  readonly asks?: Levels;
  readonly stream?: string;
  readonly data?: { u: number; b: Levels; a: Levels; p: string; q: string; m: boolean };
}

const shownLevels = 20;

/** The first `seconds` of a recording from its snapshot on. */
export function* recordedMarket(file: string, symbol: SymbolName, seconds: number): Generator<MarketEvent> {
  const book = new RecordedBook(symbol);
  let endMs = Number.POSITIVE_INFINITY;
  for (const line of gunzipSync(readFileSync(sharedData(file)))
    .toString()
    .split('\n')) {
    const space = line.indexOf(' ');
    if (space < 0) continue;
    const atMs = Number(line.slice(0, space)) / 1e6;
    if (atMs > endMs) return;
    const frame = JSON.parse(line.slice(space + 1)) as Frame;
    if (frame.lastUpdateId !== undefined) {
      book.restore(frame.lastUpdateId, frame.bids ?? [], frame.asks ?? []);
      endMs = atMs + seconds * 1_000;
    } else if (frame.data !== undefined && frame.stream?.includes('@depth')) {
      const view = book.apply(frame.data);
      if (view !== undefined) yield { atMs, kind: 'book', book: view };
    } else if (
      frame.data !== undefined &&
      frame.stream?.endsWith('@trade') &&
      endMs < Number.POSITIVE_INFINITY
    ) {
      const { p, q, m } = frame.data;
      const trades = [
        { price: Number(p), quantity: Number(q), side: m ? ('Sell' as const) : ('Buy' as const) },
      ];
      yield {
        atMs,
        kind: 'trades',
        batch: { symbol, trades, dropped: 0, receivedMonoNs: 0n, venueUnixMs: 0 },
      };
    }
  }
}

function sharedData(file: string): string {
  const shared =
    process.env['FLASHPOD_SHARED'] ?? fileURLToPath(new URL('../../../../shared', import.meta.url));
  const path = join(shared, 'data', file);
  if (!existsSync(path))
    throw new Error(`recording ${path} is missing; set FLASHPOD_SHARED to the shared folder`);
  return path;
}

class RecordedBook {
  readonly #symbol: SymbolName;
  readonly #bids = new Map<number, number>();
  readonly #asks = new Map<number, number>();
  #waiting: { u: number; b: Levels; a: Levels }[] | undefined = [];

  constructor(symbol: SymbolName) {
    this.#symbol = symbol;
  }

  restore(version: number, bids: Levels, asks: Levels): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    this.#change(bids, asks);
    for (const diff of waiting) if (diff.u > version) this.#change(diff.b, diff.a);
  }

  apply(diff: { u: number; b: Levels; a: Levels }): BookView | undefined {
    if (this.#waiting !== undefined) {
      this.#waiting.push(diff);
      return undefined;
    }
    this.#change(diff.b, diff.a);
    return {
      symbol: this.#symbol,
      version: BigInt(diff.u),
      bids: top(this.#bids, (a, b) => b - a),
      asks: top(this.#asks, (a, b) => a - b),
      certified: true,
      conflated: 0,
      receivedMonoNs: 0n,
      venueUnixMs: 0,
    };
  }

  #change(bids: Levels, asks: Levels): void {
    for (const [side, levels] of [
      [this.#bids, bids],
      [this.#asks, asks],
    ] as const) {
      for (const [price, quantity] of levels) {
        if (Number(quantity) === 0) side.delete(Number(price));
        else side.set(Number(price), Number(quantity));
      }
    }
  }
}

function top(side: ReadonlyMap<number, number>, order: (a: number, b: number) => number): BookSide {
  const prices = [...side.keys()].sort(order).slice(0, shownLevels);
  return { prices, quantities: prices.map((price) => side.get(price) ?? 0) };
}

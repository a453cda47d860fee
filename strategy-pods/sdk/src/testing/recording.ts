// Recorded markets as an event source.

import type { SymbolName } from '../brand.js';
import { StrategyError } from '../errors.js';
import type { Instrument } from '../instrument.js';
import type { PriceLevels } from './frame.js';
import { framesOf, mergedFrames } from './frame-file.js';
import { RecordedBook } from './recorded-book.js';
import { sketchInstrument } from './sketch.js';
import type { EventSource, MarketEvent } from './source.js';

export interface RecordingOptions {
  /** Levels per side that the strategy sees. Default 20, as the core sends. */
  readonly levels?: number;
  /** Ends after this time, counted from the first book. */
  readonly seconds?: number;
  /** Rules of trading; for pairs left out, the grids are those of the recording's numbers. */
  readonly instruments?: readonly Instrument[];
}

/**
 * Reads frame files (`<receive time> <JSON>` a line, plain or gzip, as `flashpod up --replay` takes them); several
 * files are merged by time, one without a snapshot continues the others of its pair.
 */
export async function recorded(
  files: string | readonly string[],
  options: RecordingOptions = {},
): Promise<EventSource> {
  const paths = typeof files === 'string' ? [files] : files;
  const known = new Map((options.instruments ?? []).map((one) => [String(one.symbol), one]));
  const symbols: string[] = [];
  for (const path of paths) {
    const head = await headOf(path);
    symbols.push(head.symbol);
    // The first file of a pair is the one with its snapshot.
    if (!known.has(head.symbol)) known.set(head.symbol, head.instrument);
  }
  const instruments = [...new Set(symbols)].map((symbol) => known.get(symbol) as Instrument);
  return { instruments, batches: () => play(paths, symbols, options) };
}

async function* play(
  paths: readonly string[],
  symbols: readonly string[],
  { levels = 20, seconds = Number.POSITIVE_INFINITY }: RecordingOptions,
): AsyncGenerator<MarketEvent[]> {
  const books = new Map<string, RecordedBook>();
  let endMs = Number.POSITIVE_INFINITY;
  for await (const frames of mergedFrames(paths, symbols)) {
    const events: MarketEvent[] = [];
    for (const { symbol: name, receivedNs, event } of frames) {
      const symbol = name as SymbolName;
      const book = books.get(name) ?? new RecordedBook(symbol, levels);
      books.set(name, book);
      const atMs = msOf(receivedNs);
      if (atMs > endMs) break;
      if (event.kind === 'snapshot') {
        book.restore(event);
        if (endMs === Number.POSITIVE_INFINITY) endMs = atMs + seconds * 1_000;
        events.push({ kind: 'book', atMs, book: book.view(receivedNs, Math.round(atMs)) });
      } else if (event.kind === 'depth') {
        if (book.apply(event))
          events.push({ kind: 'book', atMs, book: book.view(receivedNs, event.venueMs) });
      } else if (book.begun) {
        const side = event.buyerIsMaker ? ('Sell' as const) : ('Buy' as const);
        const trade = { price: Number(event.price), quantity: Number(event.quantity), side };
        const moment = { receivedMonoNs: receivedNs, venueUnixMs: event.venueMs };
        events.push({ kind: 'trades', atMs, trades: { symbol, trades: [trade], dropped: 0, ...moment } });
      }
    }
    yield events;
    if (msOf(frames.at(-1)?.receivedNs ?? 0n) > endMs) return;
  }
  // Nothing of such a pair was played: a test of it would pass on nothing.
  for (const [symbol, { begun }] of books)
    if (!begun)
      throw new StrategyError(
        'BAD_RECORDING',
        `recording ${paths.join(', ')} holds no snapshot of ${symbol}, without which its book is not known`,
      );
}

/** To the microsecond, as fine as a double since 1970 goes. */
const msOf = (ns: bigint): number => Number(ns / 1_000n) / 1_000;

const quoteAssets = ['FDUSD', 'USDT', 'USDC', 'BUSD', 'TUSD', 'USD', 'EUR', 'BTC', 'ETH', 'BNB'];
/** A file that names no pair in so many frames is none of ours. */
const headFrames = 2_000;

/** The pair of a file, and an instrument whose grids are as fine as the numbers of its first frames. */
async function headOf(path: string): Promise<{ symbol: string; instrument: Instrument }> {
  let symbol: string | undefined;
  let [read, pricePlaces, quantityPlaces] = [0, 0, 0];
  for await (const frames of framesOf(path)) {
    for (const frame of frames) {
      read += 1;
      symbol ??= frame.symbol;
      if (frame.event.kind === 'trade') continue;
      for (const levels of [frame.event.bids, frame.event.asks]) {
        pricePlaces = Math.max(pricePlaces, placesOf(levels, 0));
        quantityPlaces = Math.max(quantityPlaces, placesOf(levels, 1));
      }
    }
    if (read >= headFrames) break;
  }
  if (symbol === undefined)
    throw new StrategyError(
      'BAD_RECORDING',
      `recording ${path} names no pair in its first ${headFrames} frames`,
    );
  const plain = symbol.replace(/_.*$/, '');
  const quote = quoteAssets.find((asset) => plain.endsWith(asset) && plain.length > asset.length) ?? 'QUOTE';
  const base = plain.endsWith(quote) ? plain.slice(0, -quote.length) : plain;
  const [tick, lot] = [grid(pricePlaces), grid(quantityPlaces)];
  return { symbol, instrument: sketchInstrument({ symbol, base, quote, tick, lot }) };
}

/** Some recorders write numbers where the exchange writes texts. */
function placesOf(levels: PriceLevels, part: 0 | 1): number {
  return levels.reduce(
    (most, level) => Math.max(most, String(level[part]).replace(/0+$/, '').split('.')[1]?.length ?? 0),
    0,
  );
}

const grid = (places: number): string => (places === 0 ? '1' : `0.${'0'.repeat(places - 1)}1`);

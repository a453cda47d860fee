// A recording as the SDK's test kit plays it: `stage.run(await replayed(files))`.

import type { BookView, Instrument, SymbolName, Trade, TradeBatch } from '@flashpod/sdk';
import { type EventSource, type MarketEvent, recorded } from '@flashpod/sdk/testing';
import { nativeError } from './errors.js';
import { type Batch, eventKinds, Replay, type ReplayOptions } from './replay.js';

export interface ReplayedOptions extends Pick<ReplayOptions, 'batchSize' | 'signal' | 'onProgress'> {
  /** Levels per side that the strategy sees. Default 20, as the core sends. */
  readonly levels?: number;
  /** Ends after this time, counted from the first book. */
  readonly seconds?: number;
  /** Rules of trading; for pairs left out, the grids are those of the recording's numbers. */
  readonly instruments?: readonly Instrument[];
}

/**
 * The events that the kit's own `recorded` gives for the same files, read by the addon. Two books per pair are used in
 * turn, and one batch of trades: what must stay longer has to be copied.
 */
export async function replayed(
  files: string | readonly string[],
  options: ReplayedOptions = {},
): Promise<EventSource> {
  const paths = typeof files === 'string' ? [files] : files;
  // The kit reads the first frames only.
  const { instruments } = await recorded(paths, options);
  return { instruments, batches: () => play(paths, options) };
}

async function* play(
  files: readonly string[],
  { levels = 20, seconds = Number.POSITIVE_INFINITY, ...rest }: ReplayedOptions,
): AsyncGenerator<Iterable<MarketEvent>> {
  const player = new Player(levels, seconds);
  const replay = new Replay({
    files,
    levels,
    ...(rest.batchSize === undefined ? {} : { batchSize: rest.batchSize }),
    ...(rest.signal === undefined ? {} : { signal: rest.signal }),
    ...(rest.onProgress === undefined ? {} : { onProgress: rest.onProgress }),
  });
  let symbols: readonly string[] = [];
  for await (const batch of replay) {
    ({ symbols } = batch);
    yield player.events(batch);
    if (player.ended) return;
  }
  // Nothing of such a pair was played: a test of it would pass on nothing.
  const unplayed = symbols.find((_, index) => !player.hasBegun(index));
  if (unplayed !== undefined)
    throw nativeError(
      'BAD_RECORDING',
      `recording ${files.join(', ')} holds no snapshot of ${unplayed} that its updates continue: its book is not known`,
    );
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** A book with its event, written again and again. */
class Page {
  readonly bids = { prices: [] as number[], quantities: [] as number[] };
  readonly asks = { prices: [] as number[], quantities: [] as number[] };
  readonly book: Writable<BookView>;
  readonly event: Writable<Extract<MarketEvent, { kind: 'book' }>>;

  constructor(symbol: SymbolName) {
    const { bids, asks } = this;
    const moment = { receivedMonoNs: 0n, venueUnixMs: 0 };
    this.book = { symbol, version: 0n, bids, asks, certified: false, conflated: 0, ...moment };
    this.event = { kind: 'book', atMs: 0, book: this.book };
  }
}

/** What the events of one pair are written into. */
class Pair {
  readonly trade: Writable<Trade> = { price: 0, quantity: 0, side: 'Buy' };
  readonly trades: Writable<TradeBatch>;
  readonly tradesEvent: Writable<Extract<MarketEvent, { kind: 'trades' }>>;
  /** There was a snapshot: before it a strategy hears nothing. */
  begun = false;
  #page: Page;
  #other: Page;

  constructor(name: string) {
    const symbol = name as SymbolName;
    this.trades = { symbol, trades: [this.trade], dropped: 0, receivedMonoNs: 0n, venueUnixMs: 0 };
    this.tradesEvent = { kind: 'trades', atMs: 0, trades: this.trades };
    this.#page = new Page(symbol);
    this.#other = new Page(symbol);
  }

  /** Where the next book goes. The former one stays as it is: timers that are due before the next still see it. */
  turn(): Page {
    [this.#page, this.#other] = [this.#other, this.#page];
    return this.#page;
  }
}

class Player {
  ended = false;
  readonly #levels: number;
  readonly #seconds: number;
  readonly #pairs: Pair[] = [];
  #endMs = Number.POSITIVE_INFINITY;

  constructor(levels: number, seconds: number) {
    this.#levels = levels;
    this.#seconds = seconds;
  }

  /** Whether anything of a pair was played; `index` is its number in the batches. */
  hasBegun(index: number): boolean {
    return this.#pairs[index]?.begun === true;
  }

  *events(batch: Batch): Generator<MarketEvent> {
    const startNs = BigInt(batch.startNs);
    const startUs = Number(startNs / 1_000n);
    const startRest = Number(startNs % 1_000n);
    for (let event = 0; event < batch.length; event++) {
      const elapsedNs = batch.elapsedNs[event] as number;
      // To the microsecond, as fine as a double since 1970 goes.
      const atMs = (startUs + Math.floor((startRest + elapsedNs) / 1_000)) / 1_000;
      if (atMs > this.#endMs) {
        this.ended = true;
        return;
      }
      const pair = this.#pair(batch, event);
      const receivedMonoNs = startNs + BigInt(elapsedNs);
      if (batch.kind[event] === eventKinds.trade) {
        if (!pair.begun) continue;
        this.#showTrade(pair, batch, event);
        pair.trades.receivedMonoNs = receivedMonoNs;
        pair.tradesEvent.atMs = atMs;
        yield pair.tradesEvent;
        continue;
      }
      const snapshot = batch.kind[event] === eventKinds.snapshot;
      // A snapshot and the updates that waited for it are one change of the book.
      if (snapshot) event = lastOfItsFrame(batch, event);
      if (!pair.begun && this.#endMs === Number.POSITIVE_INFINITY) this.#endMs = atMs + this.#seconds * 1_000;
      pair.begun = true;
      const page = pair.turn();
      this.#showBook(page, batch, event);
      if (snapshot) page.book.venueUnixMs = Math.round(atMs);
      page.book.receivedMonoNs = receivedMonoNs;
      page.event.atMs = atMs;
      yield page.event;
    }
  }

  #pair(batch: Batch, event: number): Pair {
    const index = batch.symbol[event] as number;
    const known = this.#pairs[index];
    if (known !== undefined) return known;
    const pair = new Pair(batch.symbols[index] as string);
    this.#pairs[index] = pair;
    return pair;
  }

  #showTrade({ trade, trades }: Pair, batch: Batch, event: number): void {
    const row = batch.row[event] as number;
    trade.price = batch.trades.prices[row] as number;
    trade.quantity = batch.trades.quantities[row] as number;
    trade.side = batch.trades.takers[row] === 0 ? 'Buy' : 'Sell';
    trades.venueUnixMs = batch.venueMs[event] as number;
  }

  #showBook({ book, bids, asks }: Page, batch: Batch, event: number): void {
    const { books } = batch;
    const row = batch.row[event] as number;
    const at = row * this.#levels;
    copy(
      bids,
      books.bidPrices,
      books.bidQuantities,
      at,
      Math.min(this.#levels, books.bidLevels[row] as number),
    );
    copy(
      asks,
      books.askPrices,
      books.askQuantities,
      at,
      Math.min(this.#levels, books.askLevels[row] as number),
    );
    book.version = BigInt(batch.id[event] as number);
    book.certified = batch.kind[event] !== eventKinds.lost;
    book.venueUnixMs = batch.venueMs[event] as number;
  }
}

function copy(
  side: { readonly prices: number[]; readonly quantities: number[] },
  prices: Float64Array,
  quantities: Float64Array,
  at: number,
  count: number,
): void {
  side.prices.length = count;
  side.quantities.length = count;
  for (let i = 0; i < count; i++) {
    side.prices[i] = prices[at + i] as number;
    side.quantities[i] = quantities[at + i] as number;
  }
}

function lastOfItsFrame({ elapsedNs, symbol, kind, length }: Batch, event: number): number {
  let last = event;
  while (
    last + 1 < length &&
    elapsedNs[last + 1] === elapsedNs[event] &&
    symbol[last + 1] === symbol[event] &&
    kind[last + 1] !== eventKinds.trade
  )
    last += 1;
  return last;
}

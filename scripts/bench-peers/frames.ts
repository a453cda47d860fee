// protobufjs and ccxt on MEXC frames of 20 levels: `frames.ts FRAMES BOOK EVENTS`; a JSON object a line.

import { readFileSync } from 'node:fs';
import ccxt from 'ccxt';
import { wrapper } from '../../strategy-pods/native/dist/testing/push-schema.js';

const warm = 2;
const rounds = 7;
const symbol = 'BTC/USDC';

/** What is used of ccxt; its own types leave these out. */
interface Exchange {
  orderbooks: Record<string, Book>;
  decodeProtoMsg(bytes: Uint8Array): unknown;
  handleMessage(client: object, bytes: Uint8Array): void;
  handleDelta(book: Book, delta: unknown): void;
  orderBook(snapshot: object): Book;
  safeMarket(id: string): unknown;
  markets_by_id: Record<string, unknown[]>;
  markets: Record<string, unknown>;
}
interface Book {
  bids: [number, number][];
  asks: [number, number][];
}
interface Depth {
  bids?: { price: string; quantity: string }[];
  asks?: { price: string; quantity: string }[];
}

const [framesFile = '', eventsFile = ''] = process.argv.slice(2);

function framesOf(file: string): Buffer[] {
  const bytes = readFileSync(file);
  const frames: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    frames.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return frames;
}

/** The levels before the first frame: [price, quantity], bids and asks. */
function snapshotOf(file: string): { bids: [number, number][]; asks: [number, number][] } {
  const bytes = readFileSync(file);
  const sides = { bids: [] as [number, number][], asks: [] as [number, number][] };
  for (let at = 0; at < bytes.length; at += 56) {
    if (bytes.readBigInt64LE(at) !== 0n) continue;
    const [side, price, quantity] = [32, 40, 48].map((field) => Number(bytes.readBigInt64LE(at + field)));
    const level: [number, number] = [(price as number) / 1e8, (quantity as number) / 1e8];
    (side === 1 ? sides.bids : sides.asks).push(level);
  }
  return sides;
}

const frames = framesOf(framesFile);
const snapshot = snapshotOf(eventsFile);

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Median nanoseconds a frame over the rounds. `prepare` is not timed. */
function timed<T>(prepare: () => T, each: (state: T, frame: Buffer, index: number) => unknown): number {
  const times: number[] = [];
  for (let round = -warm; round < rounds; round++) {
    const state = prepare();
    const began = process.hrtime.bigint();
    for (const [index, frame] of frames.entries()) each(state, frame, index);
    if (round >= 0) times.push(Number(process.hrtime.bigint() - began) / frames.length);
  }
  return median(times);
}

function tell(peer: string, what: string, ns: number, more: object = {}): void {
  process.stdout.write(`${JSON.stringify({ peer, what, nsPerFrame: ns, frames: frames.length, ...more })}\n`);
}

const exchange = new ccxt.pro.mexc() as unknown as Exchange;
const market = { id: 'BTCUSDC', symbol, base: 'BTC', quote: 'USDC', spot: true, type: 'spot' };
exchange.markets = { [symbol]: market };
exchange.markets_by_id = { BTCUSDC: [market] };
// ccxt loads its decoder in the background.
const decoded = await (async () => {
  for (;;) {
    try {
      return exchange.decodeProtoMsg(frames[0] as Buffer) as { publicAggreDepths: Depth };
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
})();
if (decoded.publicAggreDepths.asks === undefined) throw new Error('ccxt has read no levels of a frame');

const client = {
  subscriptions: {},
  resolve() {},
  reject(error: Error) {
    throw error;
  },
};
const freshBook = (): Book => {
  const book = exchange.orderBook({ ...snapshot, nonce: 0 });
  exchange.orderbooks[symbol] = book;
  return book;
};

tell(
  'protobufjs',
  'decode',
  timed(
    () => {},
    (_, frame) => wrapper.decode(frame),
  ),
);
tell(
  'ccxt',
  'decode',
  timed(
    () => {},
    (_, frame) => exchange.decodeProtoMsg(frame),
  ),
);
const deltas = frames.map(
  (frame) => (exchange.decodeProtoMsg(frame) as { publicAggreDepths: Depth }).publicAggreDepths,
);
tell(
  'ccxt',
  'decoded object to book',
  timed(freshBook, (book, _, index) => exchange.handleDelta(book, deltas[index])),
);
const whole = timed(freshBook, (_, frame) => exchange.handleMessage(client, frame));

/** Plain maps over what protobufjs reads, as the judge of the final book. */
function expected(): [number, number][][] {
  const sides = [new Map(snapshot.bids), new Map(snapshot.asks)];
  for (const frame of frames) {
    const { publicAggreDepths } = wrapper.decode(frame) as unknown as { publicAggreDepths: Depth };
    for (const [at, levels] of [publicAggreDepths.bids, publicAggreDepths.asks].entries()) {
      for (const { price, quantity } of levels ?? []) {
        if (Number(quantity) === 0) sides[at]?.delete(Number(price));
        else sides[at]?.set(Number(price), Number(quantity));
      }
    }
  }
  return sides.map((side, at) => [...side].toSorted((a, b) => (at === 0 ? b[0] - a[0] : a[0] - b[0])));
}
const book = exchange.orderbooks[symbol] as Book;
const levels = expected();
const kept = [book.bids, book.asks].map((side) => [...side].map(([price, quantity]) => [price, quantity]));
tell('ccxt', 'bytes to book', whole, {
  levelsCompared: levels.flat().length,
  sameBook: JSON.stringify(kept) === JSON.stringify(levels),
});

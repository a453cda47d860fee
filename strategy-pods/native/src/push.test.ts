// The core's decoder against protobufjs on the same bytes, frames of the exchange first.

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BadFrameError, InvalidArgumentError } from './errors.js';
import { decodePush, encodePush, type PushFrame } from './push.js';
import { levelsOf, pairsOf } from './testing/levels.js';
import { decodeWithProtobufjs, encodeWithProtobufjs } from './testing/push-schema.js';
import { recording } from './testing/recordings.js';

type Text = Record<string, string>;
interface Depths {
  bids: Text[];
  asks: Text[];
  fromVersion: string;
  toVersion: string;
}

/** Shortest decimal text, as the addon writes it. */
const plain = (text: string): string =>
  text.includes('.') ? text.replace(/0+$/, '').replace(/\.$/, '') : text;

const pairs = (levels: Text[]): [number, number][] =>
  levels.map(({ price, quantity }) => [Number(price), Number(quantity)]);

/** The same frame as protobufjs reads it, in the addon's shape. */
function expected(bytes: Uint8Array): Record<string, unknown> {
  const { channel, symbol, createTime, sendTime, ...bodies } = decodeWithProtobufjs(bytes) as Text & {
    publicAggreDepths?: Depths;
    publicAggreDeals?: { deals: Text[] };
    publicAggreBookTicker?: Text;
    publicLimitDepths?: { bids: Text[]; asks: Text[]; version: string };
    publicSpotKline?: Text;
  };
  const head = {
    channel,
    ...(symbol === undefined ? {} : { symbol }),
    ...(createTime === undefined ? {} : { createdMs: createTime }),
    ...(sendTime === undefined ? {} : { sentMs: sendTime }),
  };
  const { publicAggreDeals: deals, publicAggreBookTicker: ticker, publicSpotKline: kline } = bodies;
  if (deals !== undefined) {
    const told = deals.deals.map(({ price = '', quantity = '', tradeType, time, tradeId = '' }) => ({
      price: plain(price),
      quantity: plain(quantity),
      taker: Number(tradeType) === 1 ? 'Buy' : 'Sell',
      timeMs: time,
      id: tradeId,
    }));
    return { ...head, kind: 'deals', deals: told };
  }
  if (ticker !== undefined) {
    const { bidPrice = '', bidQuantity = '', askPrice = '', askQuantity = '', version } = ticker;
    const told = {
      bidPrice: plain(bidPrice),
      bidQuantity: plain(bidQuantity),
      askPrice: plain(askPrice),
      askQuantity: plain(askQuantity),
      ...(version === undefined ? {} : { version: Number(version) }),
    };
    return { ...head, kind: 'bookTicker', bookTicker: told };
  }
  if (bodies.publicLimitDepths !== undefined) {
    const { bids, asks, version } = bodies.publicLimitDepths;
    const told = { version: Number(version), bids: levelsOf(pairs(bids)), asks: levelsOf(pairs(asks)) };
    return { ...head, kind: 'limitDepth', limitDepth: told };
  }
  if (kline !== undefined) {
    const told = {
      interval: kline['interval'],
      startS: kline['windowStart'],
      endS: kline['windowEnd'],
      open: plain(kline['openingPrice'] ?? ''),
      close: plain(kline['closingPrice'] ?? ''),
      high: plain(kline['highestPrice'] ?? ''),
      low: plain(kline['lowestPrice'] ?? ''),
      volume: plain(kline['volume'] ?? ''),
      turnover: plain(kline['amount'] ?? ''),
    };
    return { ...head, kind: 'kline', kline: told };
  }
  throw new Error(`no expectation for ${Object.keys(bodies).join(', ')}`);
}

const recorded = readFileSync(recording('mexc_ws_frames/protobuf_frames.jsonl'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as { id: string; hex: string });

describe('push frames', () => {
  test.each(recorded)('$id of the exchange reads as with protobufjs', ({ hex }) => {
    const bytes = Buffer.from(hex, 'hex');
    expect(decodePush(bytes)).toEqual(expected(bytes));
  });

  test('depth of any shape reads as with protobufjs, and is written so that it reads it', () => {
    const units = (most: number) => fc.integer({ min: 1, max: most });
    const level = fc.tuple(units(9e12), fc.nat(9e12)).map(([p, q]) => {
      const text = (raw: number) => plain(`${Math.floor(raw / 1e8)}.${String(raw % 1e8).padStart(8, '0')}`);
      return { price: text(p), quantity: text(q) };
    });
    const side = fc.array(level, { maxLength: 12 });
    fc.assert(
      fc.property(side, side, fc.nat(1e9), fc.nat(1e6), fc.nat(2e12), (bids, asks, from, more, time) => {
        const versions = { fromVersion: String(from), toVersion: String(from + more) };
        const bytes = encodeWithProtobufjs({
          channel: 'c',
          symbol: 'BTCUSDC',
          createTime: time,
          publicAggreDepths: { bids, asks, ...versions },
        });
        const frame = decodePush(bytes);
        if (frame.kind !== 'depth') throw new Error(frame.kind);
        expect([frame.symbol, frame.createdMs, frame.depth.from, frame.depth.to]).toEqual([
          'BTCUSDC',
          time,
          from,
          from + more,
        ]);
        expect(pairsOf(frame.depth.bids)).toEqual(pairs(bids));
        expect(pairsOf(frame.depth.asks)).toEqual(pairs(asks));
        const again = decodeWithProtobufjs(encodePush(frame)) as { publicAggreDepths: Depths };
        expect(again.publicAggreDepths).toMatchObject({ bids, asks, ...versions });
      }),
      { numRuns: 200 },
    );
  });

  const head = { channel: 'c', symbol: 'BTCUSDC', sentMs: 5 };
  const levels = { bids: levelsOf([[99, 1]]), asks: levelsOf([[101, 0.5]]) };
  test.each<PushFrame>([
    { ...head, kind: 'depth', depth: { from: 1, to: 2, ...levels, lastOrderCreatedMs: 7 } },
    { ...head, kind: 'limitDepth', limitDepth: { version: 3, ...levels } },
    { ...head, kind: 'deals', deals: [{ price: '1', quantity: '2', taker: 'Sell', timeMs: 3, id: 'a_b' }] },
    { ...head, kind: 'bookTicker', bookTicker: { bidPrice: '1', bidQuantity: '2' } },
    {
      ...head,
      kind: 'order',
      order: {
        orderId: 'o',
        clientId: 'c',
        side: 'Buy',
        type: 'LimitMaker',
        price: '10',
        quantity: '1',
        executed: '0',
        executedQuote: '0',
        status: 1,
        createdMs: 9,
      },
    },
    {
      ...head,
      kind: 'fill',
      fill: {
        tradeId: 't',
        orderId: 'o',
        clientId: '',
        side: 'Sell',
        price: '10',
        quantity: '1',
        quote: '10',
        fee: '0.005',
        feeAsset: 'USDC',
        maker: true,
        selfTrade: false,
        timeMs: 4,
      },
    },
    {
      channel: 'c',
      kind: 'balance',
      balance: {
        asset: 'USDC',
        free: '1',
        freeChange: '-1',
        locked: '2',
        lockedChange: '1',
        cause: 'ENTRUST_PLACE',
        timeMs: 1,
      },
    },
  ])('$kind comes back as it was written', (frame) => {
    expect(decodePush(encodePush(frame))).toEqual(frame);
  });

  test('any bytes give a frame or a BadFrameError', () => {
    const cut = fc
      .tuple(fc.constantFrom(...recorded), fc.nat(200), fc.nat(255))
      .map(([{ hex }, at, value]) => {
        const bytes = Buffer.from(hex, 'hex');
        bytes[at % bytes.length] = value;
        return bytes.subarray(0, at + 1);
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), cut), (bytes) => {
        try {
          expect(typeof decodePush(bytes).kind).toBe('string');
        } catch (error) {
          expect(error).toBeInstanceOf(BadFrameError);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('levels are written as they were passed, whatever a getter does to their memory', () => {
    const prices = Float64Array.of(99);
    const bids = {
      prices,
      get quantities() {
        const moved = structuredClone(prices.buffer, { transfer: [prices.buffer] });
        new Float64Array(moved)[0] = 7;
        return Float64Array.of(1);
      },
    };
    const depth = { from: 1, to: 2, bids, asks: levels.asks };
    const written = decodePush(encodePush({ ...head, kind: 'depth', depth }));
    expect(written.kind === 'depth' && pairsOf(written.depth.bids)).toEqual([[99, 1]]);
  });

  test('what the decoder would refuse is not written', () => {
    const bad = (frame: object) => () => encodePush({ ...head, ...frame } as PushFrame);
    expect(bad({ kind: 'depth' })).toThrow('kind is `depth`, which has no body of that name');
    expect(bad({ kind: 'unused', unused: 'x' })).toThrow('is none of depth, limitDepth');
    expect(bad({ kind: 'depth', depth: { from: 2, to: 1, ...levels } })).toThrow('fromVersion is `2`');
    expect(bad({ kind: 'depth', depth: { from: 1.5, to: 2, ...levels } })).toThrow('from is 1.5');
    expect(bad({ kind: 'deals', deals: [{ price: '1e5' }] })).toThrow(InvalidArgumentError);
    expect(() => encodePush(7 as never)).toThrow('frame is 7; accepted: an object');
  });
});

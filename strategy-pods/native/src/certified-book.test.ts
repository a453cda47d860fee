import { describe, expect, test } from 'vitest';
import { CertifiedBook } from './certified-book.js';
import { BadFrameError } from './errors.js';
import { encodePush, type PushFrame } from './push.js';
import { levelsOf, none, type Pairs, pairsOf } from './testing/levels.js';
import { encodeWithProtobufjs } from './testing/push-schema.js';

const channel = 'spot@public.aggre.depth.v3.api.pb@100ms@BTCUSDC';

function depth(from: number, to: number, bids: Pairs, asks: Pairs, symbol = 'BTCUSDC'): PushFrame {
  return {
    channel,
    symbol,
    createdMs: 1_000 + to,
    kind: 'depth',
    depth: { from, to, bids: levelsOf(bids), asks: levelsOf(asks) },
  };
}

const snapshot = { version: 10, bids: levelsOf([[99, 1]]), asks: levelsOf([[101, 1]]) };

describe('a certified book', () => {
  test('keeps what comes early, joins it with the snapshot, drops what it knows', () => {
    const book = new CertifiedBook({ levels: 2, symbol: 'BTCUSDC' });
    expect(book.onFrame(encodePush(depth(9, 10, [[99, 7]], [])))).toBe('buffered');
    expect(book.onFrame(encodePush(depth(11, 12, [[99.5, 2]], [])))).toBe('buffered');
    expect(book.window.certified).toBe(false);
    expect(book.onSnapshot(snapshot)).toBeUndefined();
    expect(book.state).toBe('certified');
    expect(pairsOf(book.window.bids)).toEqual([
      [99.5, 2],
      [99, 1],
    ]);
    expect([book.window.version, book.window.venueMs, book.window.certified]).toEqual([12, 1012, true]);
    expect(book.onFrame(encodePush(depth(11, 12, [], [])))).toBe('duplicate');
    expect(book.onFrame(encodePush(depth(13, 13, [[99.5, 0]], [[100.5, 3]])))).toBe('applied');
    expect(book.top('Sell', 1)).toEqual([{ price: '100.5', quantity: '3' }]);
    expect(book.counters).toMatchObject({ applied: 2, duplicates: 1, gaps: 0, syncs: 1 });
  });

  test('loses the certificate at a hole and says which, until the next snapshot', () => {
    const book = new CertifiedBook({ levels: 1 });
    book.onSnapshot(snapshot);
    expect(book.onFrame(encodePush(depth(12, 13, [], [])))).toBe('lost');
    expect(book.state).toBe('lost: gap: version 11 was expected, 12 came');
    expect(book.window.certified).toBe(false);
    expect(book.onSnapshot({ ...snapshot, version: 5 })).toBe(
      'snapshot 5 is too old, at least version 11 is needed',
    );
    expect(book.onSnapshot({ ...snapshot, version: 11 })).toBeUndefined();
    expect(book.window.version).toBe(13);
  });

  test('loses it when bid and ask cross, and when the connection does', () => {
    const book = new CertifiedBook({ rule: 'binance-spot' });
    book.onSnapshot(snapshot);
    const crossing = { first: 11, last: 11, bids: levelsOf([[102, 1]]), asks: none };
    expect(book.onUpdate(crossing)).toBe('lost');
    expect(book.state).toBe('lost: crossed: best bid 102, best ask 101');
    book.onSnapshot({ ...snapshot, version: 11 });
    book.disconnected();
    expect(book.state).toBe('lost: disconnected');
  });

  test('follows the futures rule where the venue names the update before', () => {
    const book = new CertifiedBook({ rule: 'binance-futures' });
    book.onSnapshot(snapshot);
    expect(book.onUpdate({ first: 10, last: 20, prevLast: 9, bids: none, asks: none })).toBe('applied');
    expect(book.onUpdate({ first: 25, last: 30, prevLast: 20, bids: none, asks: none })).toBe('applied');
    expect(book.onUpdate({ first: 31, last: 40, prevLast: 35, bids: none, asks: none })).toBe('lost');
  });

  test('takes many frames in one call and comes to the same', () => {
    const frames = [
      depth(11, 11, [[99.1, 1]], []),
      depth(12, 14, [[99.2, 2]], [[100.9, 1]]),
      depth(12, 14, [], []),
    ].map(encodePush);
    const [one, many] = [new CertifiedBook({ levels: 3 }), new CertifiedBook({ levels: 3 })];
    for (const book of [one, many]) book.onSnapshot(snapshot);
    for (const frame of frames) one.onFrame(frame);
    let end = 0;
    const ends = Uint32Array.from(frames, (frame) => (end += frame.length));
    const counts = many.onFrames(Buffer.concat(frames), ends);
    expect(counts).toEqual({ applied: 2, duplicate: 1, buffered: 0, lost: 0, other: 0, levelChanges: 3 });
    expect(many.window).toEqual(one.window);
    expect(() => many.onFrames(Buffer.concat(frames), Uint32Array.of(5, 3))).toThrow(BadFrameError);
    expect(() => many.onFrames(new Uint8Array(), Uint32Array.of(3))).toThrow(
      'ends[0] is 3, which is not from 0 (the end before) to 0 (all bytes)',
    );
  });

  test('shows what the frames before a bad one have changed', () => {
    const book = new CertifiedBook({ levels: 1 });
    book.onSnapshot(snapshot);
    const good = encodePush(depth(11, 11, [[99.5, 2]], []));
    const bytes = Buffer.concat([good, Buffer.from('hello')]);
    expect(() => book.onFrames(bytes, Uint32Array.of(good.length, bytes.length))).toThrow(BadFrameError);
    expect([book.window.version, book.window.bids.prices[0]]).toEqual([11, 99.5]);
  });

  test('refuses a version that no number tells apart, before it changes anything', () => {
    const book = new CertifiedBook();
    book.onSnapshot(snapshot);
    const versions = { fromVersion: '11', toVersion: '9007199254740993' };
    const frame = encodeWithProtobufjs({ channel, symbol: 'BTCUSDC', publicAggreDepths: versions });
    expect(() => book.onFrame(frame)).toThrow('toVersion is 9007199254740993, which is beyond 2^53');
    expect([book.window.version, book.state]).toEqual([10, 'certified']);
    expect(book.onFrame(encodePush(depth(11, 11, [], [])))).toBe('applied');
  });

  test('reads frames from memory that threads share, and none from its own window', () => {
    const book = new CertifiedBook({ levels: 100 });
    book.onSnapshot(snapshot);
    const frame = encodePush(depth(11, 11, [[99.5, 2]], []));
    const shared = new Uint8Array(new SharedArrayBuffer(frame.length));
    shared.set(frame);
    expect(book.onFrame(shared)).toBe('applied');
    const own = new Uint8Array(book.window.bids.prices.buffer, 40, 100);
    own.set(encodePush(depth(12, 12, [], [])));
    expect(() => book.onFrame(own)).toThrow("bytes: memory of this book's window");
    expect(() => book.onFrames(own, Uint32Array.of(100))).toThrow("bytes: memory of this book's window");
    expect(book.window.version).toBe(11);
  });

  test('refuses a snapshot older than the book that it lost', () => {
    const book = new CertifiedBook();
    book.onSnapshot(snapshot);
    expect(book.onFrame(encodePush(depth(11, 15, [[102, 1]], [])))).toBe('lost');
    expect(book.onSnapshot({ ...snapshot, version: 14 })).toBe(
      'snapshot 14 is too old, at least version 15 is needed',
    );
    expect(book.onSnapshot({ ...snapshot, version: 15 })).toBeUndefined();
  });

  test('refuses what is no frame, or of another pair, and stays as it was', () => {
    const book = new CertifiedBook({ symbol: 'BTCUSDC' });
    book.onSnapshot(snapshot);
    expect(() => book.onFrame(Buffer.from('hello'))).toThrow(BadFrameError);
    expect(() => book.onFrame(encodePush(depth(11, 11, [], [], 'ETHUSDC')))).toThrow(
      "frame's symbol is ETHUSDC, which is not BTCUSDC of this book",
    );
    expect(() => book.onFrame('hello' as never)).toThrow('accepted: a Uint8Array or Buffer');
    expect(book.state).toBe('certified');
    expect(() => book.onUpdate({ first: 3, last: 2, bids: none, asks: none })).toThrow('first is 3');
    expect(() => new CertifiedBook({ rule: 'nasdaq' as never })).toThrow(
      "rule is 'nasdaq'; accepted: mexc, binance-spot, binance-futures",
    );
  });
});

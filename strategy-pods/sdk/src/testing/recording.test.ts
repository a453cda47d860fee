import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { type MarketEvent, type RecordingOptions, recorded } from './index.js';

const folder = mkdtempSync(join(tmpdir(), 'flashpod-kit-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

function write(lines: readonly string[], pack: (text: string) => string | Buffer = (text) => text): string {
  files += 1;
  const file = join(folder, `recording-${files}`);
  writeFileSync(file, pack(`${lines.join('\n')}\n`));
  return file;
}

async function eventsOf(of: string | string[], options?: RecordingOptions): Promise<MarketEvent[]> {
  const events: MarketEvent[] = [];
  for await (const batch of (await recorded(of, options)).batches()) events.push(...batch);
  return events;
}

const at = (ms: number) => String(1_723_161_254_000_000_000n + BigInt(ms) * 1_000_000n);
const depth = (ms: number, first: number, last: number, bids: object, asks: object, symbol = 'BTCUSDT') =>
  `${at(ms)} ${JSON.stringify({ stream: 'x@depth@100ms', data: { e: 'depthUpdate', E: 1_723_161_255_000 + ms, s: symbol, U: first, u: last, b: bids, a: asks } })}`;
const trade = (ms: number, price: string, buyerIsMaker: boolean, symbol = 'BTCUSDT') =>
  `${at(ms)} ${JSON.stringify({ stream: 'x@trade', data: { e: 'trade', E: 1, s: symbol, t: 1, p: price, q: '0.5', m: buyerIsMaker } })}`;
const snapshot = (ms: number, version: number) =>
  `${at(ms)} ${JSON.stringify({
    lastUpdateId: version,
    bids: [
      ['100.10', '1.500'],
      ['100.00', '2'],
    ],
    asks: [['100.30', '3']],
  })}`;
const told = (events: MarketEvent[]) =>
  events.map((event) =>
    event.kind === 'trades'
      ? `${event.trades.trades[0]?.side} ${event.trades.trades[0]?.price}`
      : `${event.book.version} ${event.book.bids.prices} | ${event.book.asks.prices}${event.book.certified ? '' : ' ?'}`,
  );

test('a book begins with its snapshot, on which the diffs before it are played; trades before it are nobody’s', async () => {
  const file = write([
    depth(0, 1, 5, [['100.10', '9']], []),
    trade(1, '100.1', true),
    depth(2, 6, 8, [['100.20', '1']], []),
    snapshot(10, 6),
    depth(20, 9, 9, [['100.20', '0']], [['100.25', '1']]),
    trade(21, '100.3', false),
  ]);
  const events = await eventsOf(file);
  expect(told(events)).toEqual(['8 100.2,100.1,100 | 100.3', '9 100.1,100 | 100.25,100.3', 'Buy 100.3']);
  expect(events[1]).toMatchObject({ atMs: 1_723_161_254_020, book: { receivedMonoNs: BigInt(at(20)) } });
});

test('a hole makes the book uncertified until the next snapshot', async () => {
  const file = write([
    snapshot(0, 1),
    depth(1, 2, 2, [], []),
    depth(2, 4, 4, [], []),
    snapshot(3, 10),
    depth(4, 11, 11, [], []),
  ]);
  expect(told(await eventsOf(file)).map((one) => one.endsWith('?'))).toEqual([
    false,
    false,
    true,
    false,
    false,
  ]);
});

test('files are merged by time, and the grids are those of the numbers', async () => {
  const btc = write([snapshot(0, 1), depth(30, 2, 2, [], [])], gzipSync);
  const eth = write([
    depth(5, 1, 1, [['2500.5', '10']], [], 'ETHUSDT'),
    `${at(6)} ${JSON.stringify({ lastUpdateId: 1, bids: [['2500.5', '10.25']], asks: [['2501', '1']] })}`,
    trade(20, '2500', true, 'ETHUSDT'),
  ]);
  const more = write([depth(40, 3, 3, [['100.2', '7']], [])]);
  const events = await eventsOf([btc, eth, more]);
  expect(events.map(({ atMs }) => atMs - 1_723_161_254_000)).toEqual([0, 6, 20, 30, 40]);
  expect(told(events).at(-1)).toBe('3 100.2,100.1,100 | 100.3');
  const { instruments } = await recorded([btc, eth, more]);
  expect(instruments).toMatchObject([
    { symbol: 'BTCUSDT', baseAsset: 'BTC', quoteAsset: 'USDT', tickSize: '0.1', lotSize: '0.1' },
    { symbol: 'ETHUSDT', tickSize: '0.1', lotSize: '0.01' },
  ]);
});

test('a receive time that jumps back changes no order inside a file, and nothing waits for it', async () => {
  const btc = write([snapshot(0, 1), depth(30, 2, 2, [], []), depth(10, 3, 3, [], [])]);
  expect(told(await eventsOf(btc)).map((one) => one[0])).toEqual(['1', '2', '3']);
  const eth = write([
    `${at(5)} ${JSON.stringify({ symbol: 'ETHUSDT', lastUpdateId: 7, bids: [], asks: [] })}`,
    depth(20, 8, 8, [], [], 'ETHUSDT'),
    depth(40, 9, 9, [], [], 'ETHUSDT'),
  ]);
  expect(told(await eventsOf([btc, eth])).map((one) => one[0])).toEqual(['1', '7', '8', '2', '3', '9']);
});

test('whoever has seen enough leaves no file open', async () => {
  const lines = Array.from({ length: 4_000 }, (_, index) => depth(index + 1, index + 2, index + 2, [], []));
  const paths = [write([snapshot(0, 1), ...lines]), write([snapshot(0, 1), ...lines])];
  await eventsOf(paths, { seconds: 0.001 });
  const open = () =>
    readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        return paths.filter((path) => readlinkSync(`/proc/self/fd/${fd}`) === path);
      } catch {
        // One that was listed may be closed by now.
        return [];
      }
    });
  // Streams close a moment after they were told to.
  await expect.poll(open).toEqual([]);
});

test('it ends after the seconds asked for and shows the levels asked for', async () => {
  const file = write([snapshot(0, 1), depth(900, 2, 2, [], []), depth(1_100, 3, 3, [], [])]);
  const events = await eventsOf(file, { seconds: 1, levels: 1 });
  expect(told(events)).toEqual(['1 100.1 | 100.3', '2 100.1 | 100.3']);
});

test.each([
  ['hello', /line 2 begins "hello"; accepted: a receive time/],
  [`${at(1)} {"e":`, /line 2 holds no JSON/],
  [`${at(1)} {"e":"depthUpdate","s":"BTCUSDT","U":1,"u":2}`, /line 2: the depthUpdate frame lacks b and a/],
])('a file with the line %j is refused with file, line and reason', async (line, message) => {
  const refused = eventsOf(write([snapshot(0, 1), line, depth(1, 2, 2, [], [])]));
  await expect(refused).rejects.toMatchObject({
    code: 'BAD_RECORDING',
    message: expect.stringMatching(message),
  });
});

test('a pair without a snapshot is refused, not played as nothing', async () => {
  const whole = write([snapshot(0, 1), depth(1, 2, 2, [], [])]);
  const bare = write([depth(0, 1, 1, [['1', '1']], [], 'ETHUSDT'), trade(1, '1', true, 'ETHUSDT')]);
  await expect(eventsOf([whole, bare])).rejects.toMatchObject({
    code: 'BAD_RECORDING',
    message: expect.stringContaining('holds no snapshot of ETHUSDT'),
  });
});

test('levels that are numbers are read as those that are text', async () => {
  const line = `${at(0)} ${JSON.stringify({ symbol: 'BTCUSDT', lastUpdateId: 1, bids: [[100.25, 1.5]], asks: [] })}`;
  expect((await recorded(write([line]))).instruments).toMatchObject([{ tickSize: '0.01', lotSize: '0.1' }]);
});

test('a missing, a cut and an empty file are refused by name', async () => {
  await expect(eventsOf('/no/such/file')).rejects.toThrow('recording /no/such/file cannot be read: ENOENT');
  const cut = write([snapshot(0, 1), depth(1, 2, 2, [], [])], (text) => gzipSync(text).subarray(0, -12));
  await expect(eventsOf(cut)).rejects.toThrow(`recording ${cut} cannot be read: unexpected end of file`);
  const empty = write([]);
  await expect(eventsOf(empty)).rejects.toThrow(`recording ${empty} names no pair`);
});

test('a recorded market of two minutes is played whole, its books never crossed', async () => {
  const shared =
    process.env['FLASHPOD_SHARED'] ?? fileURLToPath(new URL('../../../../../shared', import.meta.url));
  const file = join(shared, 'data/binance_spot_btc_eth_20240808/btcusdt_20240808.gz');
  if (!existsSync(file))
    throw new Error(`recording ${file} is missing; set FLASHPOD_SHARED to the shared folder`);
  let [books, crossed, holes] = [0, 0, 0];
  for (const event of await eventsOf(file, { seconds: 120 })) {
    if (event.kind !== 'book') continue;
    books += 1;
    if ((event.book.bids.prices[0] ?? 0) >= (event.book.asks.prices[0] ?? 0)) crossed += 1;
    if (!event.book.certified) holes += 1;
  }
  // One diff each 100 ms.
  expect(books).toBeGreaterThan(1_150);
  expect([crossed, holes]).toEqual([0, 0]);
});

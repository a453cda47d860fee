// Recorded markets: states that were computed without us, and files that are not what they should be.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Batch, eventKinds, Replay, type ReplayProgress } from './replay.js';
import { ModelBook } from './testing/model-book.js';
import { btcFiles, expectedRows, nexoFiles, recording } from './testing/recordings.js';

const folder = mkdtempSync(join(tmpdir(), 'flashpod-native-'));
afterAll(() => rmSync(folder, { recursive: true }));

const btc = btcFiles.map(recording);

/** The columns of `expected_book_*` for one row of a batch. */
function stateOf(batch: Batch, event: number): number[] {
  const { books } = batch;
  const row = batch.row[event] as number;
  const side = (prices: Float64Array, quantities: Float64Array) =>
    Array.from({ length: 5 }, (_, level) => row * books.levels + level).flatMap((at) => [
      prices[at] as number,
      quantities[at] as number,
    ]);
  return [
    batch.venueMs[event] as number,
    batch.id[event] as number,
    books.bidLevels[row] as number,
    books.askLevels[row] as number,
    ...side(books.bidPrices, books.bidQuantities),
    ...side(books.askPrices, books.askQuantities),
  ];
}

describe('a replay', () => {
  test.each([
    ['BTCUSDT', btcFiles, 'binance_spot_btc_eth_20240808/expected_book_btcusdt.csv.zst', 1],
    ['NEXOUSDT', nexoFiles, 'binance_spot_nexo_20240723/expected_book_nexousdt_every10.csv.zst', 10],
  ])('of %s goes through every state that was computed for it', async (_, files, expectation, every) => {
    const expected = expectedRows(expectation);
    const model = new ModelBook();
    let [states, compared, modelled] = [0, 0, 0];
    for await (const batch of new Replay({ files: files.map(recording), levels: 5, batchSize: 1_000 })) {
      for (let event = 0; event < batch.length; event++) {
        if (batch.kind[event] === eventKinds.trade) continue;
        expect(batch.kind[event]).not.toBe(eventKinds.lost);
        follow(model, batch, event);
        if (batch.kind[event] !== eventKinds.book || ++states % every !== 0) continue;
        const [local = '', ...columns] = expected[compared++] ?? [];
        const seen = stateOf(batch, event);
        // Doubles hold these texts exactly: equal numbers are equal texts.
        const told = columns.map(Number);
        if (seen.some((value, column) => value !== told[column])) expect(seen).toEqual(told);
        const localNs = BigInt(batch.startNs) + BigInt(batch.elapsedNs[event] as number);
        if (localNs !== BigInt(local)) expect(localNs).toBe(BigInt(local));
        const top = [...model.bids.top(5), ...model.asks.top(5)].flat();
        if (top.every((value, at) => value === seen[4 + at])) modelled += 1;
      }
    }
    expect(compared).toBe(expected.length);
    // The changes that come with the states lead a book in TypeScript to the same states.
    expect(modelled).toBe(compared);
  });

  test('is cut into batches as asked, with the same events', async () => {
    const events = async (batchSize: number) => {
      const ids: number[] = [];
      for await (const batch of new Replay({ files: btc.slice(0, 1), levels: 0, batchSize }))
        ids.push(...batch.id);
      return ids;
    };
    const [small, large] = [await events(97), await events(1_000_000)];
    expect(small).toEqual(large);
    expect(small.length).toBeGreaterThan(9_000);
  });

  test('merges pairs by time, shows only those asked for, and names them', async () => {
    const files = [...btc, recording('binance_spot_btc_eth_20240808/ethusdt_20240808.gz')];
    const seen = new Set<string | undefined>();
    let last = 0;
    for await (const batch of new Replay({ files, levels: 1 }))
      for (let event = 0; event < batch.length; event++) {
        seen.add(batch.symbols[batch.symbol[event] as number]);
        expect(batch.elapsedNs[event]).toBeGreaterThanOrEqual(last);
        last = batch.elapsedNs[event] as number;
      }
    expect([...seen].sort()).toEqual(['BTCUSDT', 'ETHUSDT']);
    const replay = new Replay({ files, symbols: ['ETHUSDT'], batchSize: 100 });
    expect((await replay.read())?.symbols).toEqual(['ETHUSDT']);
    await replay[Symbol.asyncDispose]();
  });

  test('tells how far it is', async () => {
    const told: ReplayProgress[] = [];
    for await (const _ of new Replay({ files: btc, batchSize: 5_000, onProgress: (one) => told.push(one) }));
    // The README of the recording counts its frames.
    expect(told.at(-1)?.frames).toBe(41_249 + 58_325);
    expect(Math.round((told.at(-1)?.elapsedMs ?? 0) / 60_000)).toBe(11);
    expect(told.map(({ frames }) => frames)).toEqual(told.map(({ frames }) => frames).sort((a, b) => a - b));
  });

  test('ends when its signal does, between batches and inside one, before and after', async () => {
    const inside = new AbortController();
    const reading = new Replay({ files: btc, batchSize: 1_000_000, signal: inside.signal }).read();
    inside.abort(new Error('enough'));
    await expect(reading).rejects.toMatchObject({
      code: 'ABORTED',
      name: 'AbortError',
      cause: { message: 'enough' },
    });

    const between = new AbortController();
    let batches = 0;
    const all = (async () => {
      for await (const _ of new Replay({ files: btc, batchSize: 100, signal: between.signal }))
        if (++batches === 3) between.abort();
    })();
    await expect(all).rejects.toMatchObject({ code: 'ABORTED' });
    expect(batches).toBeLessThan(5);

    const before = new Replay({ files: btc, signal: AbortSignal.abort() }).read();
    await expect(before).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('reads one batch at a time, closes when the loop is left, and says so afterwards', async () => {
    const replay = new Replay({ files: btc, batchSize: 100 });
    const first = replay.read();
    await expect(replay.read()).rejects.toMatchObject({ code: 'BUSY' });
    await first;
    for await (const _ of replay) break;
    await expect(replay.read()).rejects.toMatchObject({ code: 'DISPOSED' });
  });

  test.each<[string, (name: string) => string | Buffer, RegExp]>([
    [
      'truncated',
      () => readFileSync(btc[0] as string).subarray(0, 400_000),
      /line \d+: the gzip data end here/,
    ],
    ['of another format', () => 'time,price\n1,2\n', /line 1: is no frame/],
    ['binary', () => Buffer.from([0, 1, 2, 250, 251]), /is no frame/],
    ['empty', () => '', /holds no frame/],
  ])('refuses a file that is %s, with its name', async (what, content, message) => {
    const file = join(folder, `${what}.gz`);
    writeFileSync(file, content(file));
    const drain = async () => {
      for await (const _ of new Replay({ files: [file] }));
    };
    await expect(drain()).rejects.toMatchObject({
      code: 'BAD_RECORDING',
      message: expect.stringMatching(new RegExp(`${what}.gz.*${message.source}`)),
    });
  });

  test('refuses files that are missing or folders, and pairs that are not there', async () => {
    const read = (files: string[], symbols: string[] = []) =>
      new Replay({ files, symbols, batchSize: 1_000_000 }).read();
    await expect(read([join(folder, 'none.gz')])).rejects.toThrow('none.gz: cannot be opened');
    await expect(read([folder])).rejects.toMatchObject({ code: 'BAD_RECORDING' });
    await expect(read(btc.slice(0, 1), ['DOGEUSDT'])).rejects.toThrow(
      'symbols is DOGEUSDT, which is not in the recording',
    );
    expect(() => new Replay({ files: [] })).toThrow('files is []; accepted: an array of at least 1 strings');
    expect(() => new Replay({ files: btc, symbols: ['x'.repeat(25)] })).toThrow(
      'is longer than 24 characters',
    );
    expect(() => new Replay({ files: btc, batchSize: 0 })).toThrow('batchSize is 0');
    expect(() => new Replay({ files: btc, levels: 1.5 })).toThrow('levels is 1.5');
  });
});

/** Applies the changes of an event to a book in TypeScript. */
function follow(model: ModelBook, { books, changes, kind, row: rows }: Batch, event: number): void {
  const row = rows[event] as number;
  if (kind[event] === eventKinds.snapshot) model.clear();
  let at = books.firstChange[row] as number;
  for (const [side, count] of [
    [model.bids, books.bidChanges[row] as number],
    [model.asks, books.askChanges[row] as number],
  ] as const)
    for (const end = at + count; at < end; at++)
      side.set(changes.prices[at] as number, changes.quantities[at] as number);
}

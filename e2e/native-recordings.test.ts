// The books of the addon against those of `flashpod-core books`, state by state, on every recorded market that has no
// states computed by others. (Those that have are tested in the addon's package.)

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Batch, eventKinds, Replay } from '@flashpod/native';
import { afterAll, describe, expect, test } from 'vitest';
import { checkout, recording } from './shared.ts';

const core = join(checkout, 'core-engine/target/release/flashpod-core');
const folder = mkdtempSync(join(tmpdir(), 'flashpod-books-'));
afterAll(() => rmSync(folder, { recursive: true }));

const markets: [symbol: string, ...files: string[]][] = [
  [
    'ETHUSDT',
    'binance_spot_btc_eth_20240808/ethusdt_20240808.gz',
    'binance_spot_btc_eth_20240808/ethusdt_20240809.gz',
  ],
  ['BTCUSDT', 'binance_usdm_btc_eth_20240808/btcusdt_20240808.gz'],
  ['ETHUSDT', 'binance_usdm_btc_eth_20240808/ethusdt_20240808.gz'],
  [
    'BTCUSD_PERP',
    'binance_coinm_btc_eth_20240808/btcusd_perp_20240808.gz',
    'binance_coinm_btc_eth_20240808/btcusd_perp_20240809.gz',
  ],
  [
    'ETHUSD_PERP',
    'binance_coinm_btc_eth_20240808/ethusd_perp_20240808.gz',
    'binance_coinm_btc_eth_20240808/ethusd_perp_20240809.gz',
  ],
];

/** The columns of `flashpod-core books` after the receive time. */
function stateOf({ books, row: rows, venueMs, id }: Batch, event: number): number[] {
  const row = rows[event] as number;
  const state = [venueMs[event], id[event], books.bidLevels[row], books.askLevels[row]] as number[];
  for (const [prices, quantities] of [
    [books.bidPrices, books.bidQuantities],
    [books.askPrices, books.askQuantities],
  ] as const)
    for (let at = row * books.levels; at < (row + 1) * books.levels; at++)
      state.push(prices[at] as number, quantities[at] as number);
  return state;
}

describe('the addon rebuilds what the core rebuilds', () => {
  test.each(markets)('%s of %s', async (symbol, ...names) => {
    const files = names.map(recording);
    const out = join(folder, 'books.csv');
    await promisify(execFile)(core, ['books', '--input', ...files, '--symbol', symbol, '--out', out]);
    await using csv = await open(out);
    const lines = csv.readLines()[Symbol.asyncIterator]();
    await lines.next();
    let states = 0;
    for await (const batch of new Replay({ files, levels: 5, symbols: [symbol] }))
      for (let event = 0; event < batch.length; event++) {
        if (batch.kind[event] !== eventKinds.book) continue;
        states += 1;
        const [local = '', ...columns] = String((await lines.next()).value).split(',');
        const localNs = String(BigInt(batch.startNs) + BigInt(batch.elapsedNs[event] as number));
        const [ours, theirs] = [stateOf(batch, event), columns.map(Number)];
        if (localNs !== local || ours.some((value, column) => value !== theirs[column]))
          expect({ localNs, state: ours }).toEqual({ localNs: local, state: theirs });
      }
    expect((await lines.next()).done).toBe(true);
    expect(states).toBeGreaterThan(3_000);
  });
});

// Strategies on paper: matched inside the core on a recorded market, beside nothing real, and proven by the journal.

import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { resourceOf } from '../operator/src/cli/kinds.ts';
import { LocalRun } from './local-run.ts';
import { checkout, recording, until } from './shared.ts';

const namespace = 'default';
const files = ['btcusdt_20240808', 'ethusdt_20240808'].map((name) =>
  recording(`binance_spot_btc_eth_20240808/${name}.gz`),
);
const core = join(
  process.env['FLASHPOD_BIN_DIR'] ?? join(checkout, 'core-engine/target/release'),
  'flashpod-core',
);
let run: LocalRun;

async function figures(): Promise<{ orders: number; fills: number }> {
  const { items } = await run.client.of(resourceOf('StrategyInstance')).list({ namespace });
  const sum = (field: 'acceptedOrders' | 'fills') =>
    items.reduce((total, { status }) => total + (status?.[field] ?? 0), 0);
  return { orders: sum('acceptedOrders'), fills: sum('fills') };
}

beforeAll(async () => {
  run = await LocalRun.start(['--mode', 'Paper', '--replay', ...files]);
});

afterAll(async () => {
  const { report } = await run.stop();
  expect(report.differences).toEqual([]);
  expect(report).toMatchObject({ ledgerEqualsVenue: true, ordersCompared: 0, http429: 0 });
  expect(new Set(report.strategies.map(({ mode }) => mode))).toEqual(new Set(['Paper']));
  const [journal] = globSync(join(run.folder, 'n/host/var/lib/flashpod/*/main/journal'));
  const replay = spawnSync(core, ['replay', '--journal', journal ?? '', '--verify'], { encoding: 'utf8' });
  expect(replay.stdout + replay.stderr).toMatch(/^verified: runs 2 /m);
  expect(replay.status).toBe(0);
});

test('orders rest and fill on paper, and the exchange hears of none', async () => {
  await until('fills on paper', 60_000, async () => (await figures()).fills >= 10);
  expect((await run.audit()).orders).toEqual([]);
  expect((await run.ledger()).orders).toEqual([]);
  const { output, code } = await run.flashpod(['status']);
  expect({ output, code }).toMatchObject({
    code: 0,
    output: expect.stringMatching(/imbalance-maker +Paper/),
  });
});

test('a core that is killed goes on with what was filled before', async () => {
  const before = await figures();
  process.kill(run.pidOf('flashpod-core'), 'SIGKILL');
  await until('more orders than before the kill', 30_000, async () => {
    const { orders, fills } = await figures();
    return orders > before.orders && fills >= before.fills;
  });
  expect((await run.audit()).orders).toEqual([]);
});

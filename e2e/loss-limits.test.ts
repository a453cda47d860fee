import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import type { TradingStrategy } from '@flashpod/crds';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { resourceOf } from '../operator/src/cli/kinds.ts';
import { Events } from '../operator/src/kube/index.ts';
import { LocalRun } from './local-run.ts';
import { checkout, until } from './shared.ts';

// Both samples trade on the synthetic market until a loss limit, set so low that fees and a moving mark reach it within
// seconds, stops them. Whether they trade is judged by the exchange's own books.

const namespace = 'default';
/** Long enough that a strategy which still could trade would have: both send several orders a second. */
const watchedMs = 2_000;
const strategies = () => run.client.of(resourceOf('TradingStrategy'));
let run: LocalRun;

const ms = (unixNs: string): number => Number(BigInt(unixNs) / 1_000n) / 1_000;
const pause = (time: number) => new Promise((resolve) => setTimeout(resolve, time));

async function instanceOf(strategy: string) {
  const { items } = await run.client.of(resourceOf('StrategyInstance')).list({ namespace });
  const instance = items.find(({ spec }) => spec.strategyRef.name === strategy);
  if (!instance) throw new Error(`no instance of ${strategy}`);
  return instance;
}

/** The part of its client order ids that all orders of an instance share. */
async function prefixOf(strategy: string): Promise<string | undefined> {
  const { metadata } = await instanceOf(strategy);
  const { orders } = await run.ledger();
  const order = orders.find(({ instance }) => instance === metadata.name);
  return order === undefined ? undefined : `${order.clientOrderId.split('-')[0]}-`;
}

async function orderAfter(strategy: string, time: number): Promise<boolean> {
  const prefix = await prefixOf(strategy).catch(() => undefined);
  if (prefix === undefined) return false;
  const { orders } = await run.audit();
  return orders.some(
    ({ clientOrderId, acceptedUnixNs }) => clientOrderId.startsWith(prefix) && ms(acceptedUnixNs) > time,
  );
}

const trades = (strategy: string, since = Date.now()) =>
  until(`orders of ${strategy}`, 40_000, () => orderAfter(strategy, since));

async function limit(name: string, risk: Partial<TradingStrategy['spec']['risk']>): Promise<void> {
  await strategies().mergePatch({ namespace, name }, { spec: { risk } } as never);
}

async function resetRisk(name: string, text: string): Promise<void> {
  const annotations = { 'trading.flashpod.dev/reset-risk': text };
  await strategies().mergePatch({ namespace, name }, { metadata: { annotations } } as never);
}

/** Waits for the condition that tells of a loss limit, and gives its message. */
function stopped(name: string): Promise<string> {
  return until(`${name} stopped by a loss limit`, 30_000, async () => {
    const { status } = await strategies().get({ namespace, name });
    const ready = status?.conditions?.find(({ type }) => type === 'Ready');
    return ready?.reason === 'LossLimitReached' ? ready.message : undefined;
  });
}

beforeAll(async () => {
  run = await LocalRun.start(['--seed', '19']);
  await Promise.all([trades('imbalance-maker'), trades('momentum-taker')]);
});

afterAll(async () => {
  const { report } = await run.stop();
  expect(report.differences).toEqual([]);
  expect(report.ledgerEqualsVenue).toBe(true);
  // Every pair that filled was marked out.
  for (const { fills, markOuts } of report.strategies.filter((row) => row.fills > 20))
    expect(
      markOuts.map(({ afterMs }) => afterMs),
      `${fills} fills`,
    ).toEqual([1_000, 5_000, 30_000]);
  const [journal] = globSync(join(run.folder, 'n/host/var/lib/flashpod/*/main/journal'));
  const bin = process.env['FLASHPOD_BIN_DIR'] ?? join(checkout, 'core-engine/target/release');
  const args = ['replay', '--journal', journal ?? '', '--verify'];
  const replay = spawnSync(join(bin, 'flashpod-core'), args, { encoding: 'utf8' });
  expect(replay.stdout + replay.stderr).not.toMatch(/difference/i);
  expect(replay.status).toBe(0);
});

test('a daily loss stops a losing strategy, through kill -9 of the core, until it is reset', async () => {
  const name = 'momentum-taker';
  // Its own fees are the loss: 0.05 % of 200 USDC, twice a trade.
  await limit(name, { maxDailyLoss: '0.4' });
  expect(await stopped(name)).toMatch(
    /^RISK_DAILY_LOSS: 0\.[4-9]\d* USDC lost since 00:00 UTC, maxDailyLoss is 0\.4/,
  );
  const stop = Date.now();
  const told = await until('the event', 5_000, async () => {
    const { items } = await run.client.of(Events).list({ namespace });
    return items.find(({ reason, regarding }) => reason === 'LossLimitReached' && regarding?.name === name);
  });
  expect(told.type).toBe('Warning');
  await pause(watchedMs);
  expect(await orderAfter(name, stop + 100), 'orders after the stop').toBe(false);

  const pid = run.pidOf('flashpod-core');
  process.kill(pid, 'SIGKILL');
  const killed = Date.now();
  await until('a new core', 20_000, () => (run.findPid('flashpod-core') ?? pid) !== pid);
  // The other one trades again: the core is back, and would let this one trade too.
  await trades('imbalance-maker', killed + 500);
  await pause(watchedMs);
  expect(await orderAfter(name, stop + 100), 'orders after the kill').toBe(false);
  const { status } = await instanceOf(name);
  expect(status?.losses?.[0]?.reached).toMatchObject({ rule: 'DailyLoss', limit: '0.4' });

  await resetRisk(name, 'once');
  await trades(name);
  const after = (await instanceOf(name)).status?.losses?.[0];
  expect(after).toMatchObject({ quoteAsset: 'USDC', reset: 'once' });
});

test('a drawdown with onLossLimit ReduceOnly lets a position get smaller, and no larger', async () => {
  const name = 'imbalance-maker';
  const held = async (symbol: string) =>
    Math.abs(
      Number((await instanceOf(name)).status?.positions?.find((of) => of.symbol === symbol)?.quantity),
    );
  await limit(name, { maxDrawdown: '0.05', onLossLimit: 'ReduceOnly' });
  expect(await stopped(name)).toMatch(/^RISK_DRAWDOWN: .* lost from the peak, maxDrawdown is 0\.05/);
  expect((await instanceOf(name)).status?.state).toBe('ReduceOnly');
  // Until the status tells of what filled while the last orders were cancelled.
  await pause(1_500);
  const pairs = ['BTCUSDC', 'ETHUSDC'];
  let before = await Promise.all(pairs.map(held));
  for (let look = 0; look < 4; look += 1) {
    await pause(500);
    const now = await Promise.all(pairs.map(held));
    for (const [at, quantity] of now.entries()) expect(quantity).toBeLessThanOrEqual(before[at] ?? 0);
    before = now;
  }
  await limit(name, { maxDrawdown: '100000' });
  await resetRisk(name, 'go on');
  await until('it trades again', 10_000, async () => (await instanceOf(name)).status?.state === 'Active');
});

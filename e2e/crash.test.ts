import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LocalRun } from './local-run.ts';
import { checkout, until } from './shared.ts';

const backWithinMs = 5_000;
const core = join(
  process.env['FLASHPOD_BIN_DIR'] ?? join(checkout, 'core-engine/target/release'),
  'flashpod-core',
);
let run: LocalRun;

const ms = (unixNs: string): number => Number(BigInt(unixNs) / 1_000n) / 1_000;

/** Waits for open orders, kills, and waits for the first order accepted after that; gives the time between. */
async function killUnderLoad(part: string, prefix = 'fp'): Promise<number> {
  await until('open orders after some trading', 60_000, async () => {
    const { orders } = await run.audit();
    const open = orders.filter(({ status }) => status === 'NEW' || status === 'PARTIALLY_FILLED');
    return orders.length >= 60 && open.length >= 2;
  });
  const pid = run.pidOf(part);
  const killed = Date.now();
  process.kill(pid, 'SIGKILL');
  await until(`a new process for ${part}`, 20_000, () => {
    const now = run.findPid(part);
    return now !== undefined && now !== pid;
  });
  const restarted = Date.now();
  // The neighbours of a killed sidecar trade on: only what comes after the restart counts.
  const first = await until(`an order after ${part} came back`, 15_000, async () => {
    const { orders } = await run.audit();
    const own = orders.filter(({ clientOrderId }) => clientOrderId.startsWith(prefix));
    return own.map(({ acceptedUnixNs }) => ms(acceptedUnixNs)).find((time) => time > restarted);
  });
  return first - killed;
}

beforeAll(async () => {
  run = await LocalRun.start(['--seed', '11']);
});

afterAll(async () => {
  const { report } = await run.stop();
  // No duplicate, no orphan, no lost fill: every order and fill of the exchange is in the ledger, and no other.
  expect(report.differences).toEqual([]);
  expect(report.ledgerEqualsVenue).toBe(true);
  expect(report.http429).toBe(0);

  const [journal] = globSync(join(run.folder, 'n/host/var/lib/flashpod/*/main/journal'));
  const replay = spawnSync(core, ['replay', '--journal', journal ?? '', '--verify'], { encoding: 'utf8' });
  expect(replay.stdout + replay.stderr).not.toMatch(/difference/i);
  expect(replay.status).toBe(0);
});

test('the core is killed with orders open and trades again within 5 s', async () => {
  expect(await killUnderLoad('flashpod-core')).toBeLessThan(backWithinMs);
});

test('the core is killed once more and is back after the 10 s that a second crash has to wait', async () => {
  expect(await killUnderLoad('flashpod-core')).toBeLessThan(10_000 + backWithinMs);
});

test('a sidecar is killed and trades again within 5 s', async () => {
  const { orders } = await run.ledger();
  const order = orders.find(({ instance }) => instance.startsWith('imbalance-maker'));
  if (!order) throw new Error('imbalance-maker has no order yet');
  const prefix = `${order.clientOrderId.split('-')[0]}-`;
  expect(await killUnderLoad('--strategy imbalance-maker', prefix)).toBeLessThan(backWithinMs);
});

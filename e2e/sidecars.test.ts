import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { resourceOf } from '../operator/src/cli/kinds.ts';
import type { VenueOrder } from '../operator/src/cli/up/audit.ts';
import { Events } from '../operator/src/kube/index.ts';
import { isOpen, leftIn, ms, ownerOf } from './books.ts';
import { LocalRun } from './local-run.ts';
import { checkout, until } from './shared.ts';

// Sidecars that throw, reject, block, sleep, leak and flood, beside one that does its work, all on one account: what the
// core does about each is read in the exchange's books, and why in status and events.

const namespace = 'default';
let run: LocalRun;

const strategyOf = (name: string) => run.client.of(resourceOf('TradingStrategy')).get({ namespace, name });

async function instanceOf(strategy: string) {
  const { items } = await run.client.of(resourceOf('StrategyInstance')).list({ namespace });
  const instance = items.find(({ spec }) => spec.strategyRef.name === strategy);
  if (!instance) throw new Error(`no instance of ${strategy}`);
  return instance;
}

/** The strategy's condition Ready once its reason is this. */
async function readyWith(name: string, reason: string) {
  return until(`${name} to be ${reason}`, 60_000, async () => {
    const { status } = await strategyOf(name);
    return status?.conditions?.find((condition) => condition.type === 'Ready' && condition.reason === reason);
  });
}

async function ordersOf(strategy: string): Promise<VenueOrder[]> {
  const { metadata } = await instanceOf(strategy);
  const known = (await run.ledger()).orders.find(({ instance }) => instance === metadata.name);
  if (!known) return [];
  const owner = known.clientOrderId.split('-')[0];
  return (await run.audit()).orders.filter((order) => ownerOf(order) === owner);
}

const restingOf = async (strategy: string) => (await ordersOf(strategy)).filter(isOpen);

async function eventsOf(strategy: string): Promise<string[]> {
  const { items } = await run.client.of(Events).list({ namespace });
  return items
    .filter(({ regarding }) => regarding?.name === strategy)
    .map(({ reason, note }) => `${reason}: ${note}`);
}

/** Acceptances of a strategy from now on for this long. */
async function acceptedDuring(strategy: string, forMs: number): Promise<number> {
  const since = Date.now();
  await new Promise((resolve) => setTimeout(resolve, forMs));
  return (await ordersOf(strategy)).filter(({ acceptedUnixNs }) => ms(acceptedUnixNs) > since).length;
}

const sidecarOf = async (strategy: string): Promise<number> => {
  const { metadata } = await instanceOf(strategy);
  const proc = until(`the sidecar of ${strategy}`, 10_000, () =>
    run.findPidWith('FLASHPOD_INSTANCE', metadata.name),
  );
  return proc;
};

/** Resident memory, MiB. */
const memoryOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

beforeAll(async () => {
  run = await LocalRun.start(['--seed', '5', '--strategy', join(checkout, 'e2e/odd-strategy')]);
  for (const name of ['steady', 'sleeper', 'thrower', 'keeper', 'rejecter', 'blocker', 'flooder', 'leaker'])
    await until(`orders of ${name}`, 60_000, async () => (await ordersOf(name).catch(() => [])).length >= 2);
});

afterAll(async () => {
  const { report } = await run.stop();
  expect(report.differences).toEqual([]);
  expect(report.ledgerEqualsVenue).toBe(true);
});

test('a sidecar that hangs in a callback is lost: its orders are cancelled while the process is still there', async () => {
  const { message } = await readyWith('blocker', 'SidecarLost');
  expect(message).toContain(
    'SIDECAR_LOST: the sidecar is silent; its orders are cancelled (onSidecarLoss Cancel)',
  );
  await until('the cancels', 5_000, async () => (await restingOf('blocker')).length === 0);
});

test.each([
  [
    'thrower',
    'onBook threw 5 times in a row: Error: asked to throw',
    'its orders are cancelled (onSidecarLoss Cancel)',
  ],
  [
    'keeper',
    'onBook threw 5 times in a row: Error: asked to throw',
    'its orders are kept (onSidecarLoss Keep)',
  ],
  [
    'rejecter',
    'what it left running threw: Error: nobody waits for this',
    'its orders are cancelled and its position is closed (onSidecarLoss Flatten)',
  ],
])(
  '%s fails: its end, the reason and what became of its orders are in status and event',
  async (name, reason, done) => {
    const { message } = await readyWith(name, 'StrategyFailed');
    expect(message).toContain(`STRATEGY_FAILED: ${reason}; ${done}`);
    await until('the event', 5_000, async () =>
      (await eventsOf(name)).some((event) => event.startsWith(`StrategyFailed: STRATEGY_FAILED: ${reason}`)),
    );
    if (name === 'keeper') {
      // Its quotes were pulled by its exceptions; what it sent as an order of its own rests on.
      const orders = await ordersOf(name);
      expect(orders.filter(isOpen), JSON.stringify(orders)).toHaveLength(1);
    } else {
      await until('the cancels', 5_000, async () => (await restingOf(name)).length === 0);
    }
    if (name === 'rejecter')
      await until('the flat position', 10_000, async () => leftIn(await ordersOf(name), 'BTCUSDC') < 1.01);
    // An end: it is not started again, and nothing comes back.
    const { metadata } = await instanceOf(name);
    expect(run.findPidWith('FLASHPOD_INSTANCE', metadata.name)).toBeDefined();
  },
);

test('a sidecar that is stopped is lost, its position closed; the core keeps little for it, and it trades on when it wakes', async () => {
  const core = run.pidOf('flashpod-core');
  const pid = await sidecarOf('sleeper');
  const before = memoryOf(core);
  process.kill(pid, 'SIGSTOP');
  const { message } = await readyWith('sleeper', 'SidecarLost');
  expect(message).toContain('its position is closed (onSidecarLoss Flatten)');
  await until('the flat position', 10_000, async () => leftIn(await ordersOf('sleeper'), 'BTCUSDC') < 1.01);
  expect(await restingOf('sleeper')).toEqual([]);
  expect(memoryOf(core) - before).toBeLessThan(64);
  process.kill(pid, 'SIGCONT');
  await readyWith('sleeper', 'Trading');
  expect(await acceptedDuring('sleeper', 3_000)).toBeGreaterThan(0);
});

test('a sidecar that is killed is back, and has lost nothing', async () => {
  process.kill(await sidecarOf('sleeper'), 'SIGKILL');
  await until('its restart', 20_000, async () => (await acceptedDuring('sleeper', 500)) > 0);
});

test('a sidecar that leaks is killed at its memory limit: its orders are cancelled, and its status says why', async () => {
  const said = await until('the leaker to be lost', 60_000, async () => {
    const ready = (await strategyOf('leaker')).status?.conditions?.find(({ type }) => type === 'Ready');
    return ready?.reason === 'SidecarLost' && ready.message.includes('OOMKilled') && ready.message;
  });
  expect(said).toContain('its orders are cancelled (onSidecarLoss Cancel)');
  expect(said).toContain('ended last with exit code 137 (OOMKilled: over its memory limit)');
  await until('the cancels', 5_000, async () => (await restingOf('leaker')).length === 0);
});

test('a flood of intents is refused and slowed at its own stream; others trade as before, and the core stays small', async () => {
  const core = run.pidOf('flashpod-core');
  const rejected = async () => (await instanceOf('flooder')).status?.riskRejects ?? 0;
  await until('the flood', 60_000, async () => (await rejected()) > 1_000);
  const before = memoryOf(core);
  expect(await acceptedDuring('steady', 6_000), 'orders of the steady one').toBeGreaterThan(0);
  expect((await instanceOf('steady')).status?.state).toBe('Active');
  expect(memoryOf(core) - before).toBeLessThan(64);
  const { status } = await instanceOf('flooder');
  expect(status?.lastReject).toMatch(/RISK_|RATE/);
  // Never more at the exchange than its limits allow.
  expect((await restingOf('flooder')).length).toBeLessThanOrEqual(4);
});

import type { TradingStrategy } from '@flashpod/crds';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { resourceOf } from '../operator/src/cli/kinds.ts';
import type { VenueOrder } from '../operator/src/cli/up/audit.ts';
import { Events, Pods } from '../operator/src/kube/index.ts';
import { LocalRun } from './local-run.ts';
import { until } from './shared.ts';

// Everything here is judged by the exchange's own books: when it accepted which order, and when a cancel came in.

const namespace = 'default';
const inForceWithinMs = 500;
/** Long enough that a strategy which still could trade would have: both send several orders a second. */
const watchedMs = 4_000;
let run: LocalRun;

const ms = (unixNs: string): number => Number(BigInt(unixNs) / 1_000n) / 1_000;
const isOpen = ({ status }: VenueOrder): boolean => status === 'NEW' || status === 'PARTIALLY_FILLED';
const notional = ({ price, origQty }: VenueOrder): number => Number(price) * Number(origQty);
const pause = (time: number) => new Promise((resolve) => setTimeout(resolve, time));

async function ordersAcceptedAfter(time: number): Promise<VenueOrder[]> {
  return (await run.audit()).orders.filter(({ acceptedUnixNs }) => ms(acceptedUnixNs) > time);
}

async function instanceOf(strategy: string) {
  const { items } = await run.client.of(resourceOf('StrategyInstance')).list({ namespace });
  const instance = items.find(({ spec }) => spec.strategyRef.name === strategy);
  if (!instance) throw new Error(`no instance of ${strategy}`);
  return instance;
}

/** What changes when a pod is replaced or one of its containers restarts. */
async function podIdentity(name: string): Promise<unknown[]> {
  const pod = await run.client.of(Pods).get({ namespace, name });
  return [pod.metadata.uid, pod.status?.containerStatuses?.map(({ restartCount }) => restartCount)];
}

/** The orders of one strategy instance: its client order ids share the part before the first dash. */
async function ordersOf(prefix: string): Promise<VenueOrder[]> {
  return (await run.audit()).orders.filter(({ clientOrderId }) => clientOrderId.startsWith(prefix));
}

async function prefixOf(strategy: string): Promise<string> {
  const { metadata } = await instanceOf(strategy);
  const ledger = await run.ledger();
  const order = ledger.orders.find(({ instance }) => instance === metadata.name);
  if (!order) throw new Error(`${metadata.name} has no order yet`);
  return `${order.clientOrderId.split('-')[0]}-`;
}

async function trading(strategy: string): Promise<void> {
  const before = Date.now();
  const prefix = await until(`orders of ${strategy}`, 40_000, () =>
    prefixOf(strategy).catch(() => undefined),
  );
  await until(`new orders of ${strategy}`, 20_000, async () =>
    (await ordersOf(prefix)).some(({ acceptedUnixNs }) => ms(acceptedUnixNs) > before),
  );
}

async function patchStrategy(name: string, spec: Partial<TradingStrategy['spec']>): Promise<number> {
  await run.client.of(resourceOf('TradingStrategy')).mergePatch({ namespace, name }, { spec } as never);
  return Date.now();
}

beforeAll(async () => {
  run = await LocalRun.start(['--seed', '7']);
  await Promise.all([trading('imbalance-maker'), trading('momentum-taker')]);
});

afterAll(async () => {
  const { report } = await run.stop();
  expect(report.differences).toEqual([]);
  expect(report.ledgerEqualsVenue).toBe(true);
});

test('a tighter limit is in force in under 500 ms, without a restart of the pod', async () => {
  const instance = await instanceOf('imbalance-maker');
  const prefix = await prefixOf('imbalance-maker');
  const before = await podIdentity(instance.metadata.name);
  const largest = Math.max(...(await ordersOf(prefix)).map(notional));
  const limit = Math.floor(largest / 2);
  const refusedBefore = instance.status?.riskRejects ?? 0;

  const written = await patchStrategy('imbalance-maker', {
    risk: { maxOrderNotional: String(limit) } as never,
  });
  await pause(watchedMs);

  const since = (await ordersOf(prefix)).filter(({ acceptedUnixNs }) => ms(acceptedUnixNs) > written);
  const late = since.filter(
    (order) => notional(order) > limit && ms(order.acceptedUnixNs) > written + inForceWithinMs,
  );
  expect(late).toEqual([]);
  await until(
    'the refusals of the core',
    5_000,
    async () => ((await instanceOf('imbalance-maker')).status?.riskRejects ?? 0) > refusedBefore,
  );
  expect(await podIdentity(instance.metadata.name)).toEqual(before);

  await patchStrategy('imbalance-maker', { risk: { maxOrderNotional: '2000' } as never });
  await trading('imbalance-maker');
});

async function haltAndJudge(name: string): Promise<void> {
  await until('open orders', 20_000, async () => (await run.audit()).orders.filter(isOpen).length >= 2);
  // The cancels may be through before the answer to the write is: what the halt ended counts from here.
  const asked = Date.now();
  await run.client.of(resourceOf('Halt')).create({
    apiVersion: 'trading.flashpod.dev/v1alpha1',
    kind: 'Halt',
    metadata: { name, namespace },
    spec: { selector: { all: true }, action: 'Cancel', reason: 'a test' },
  });
  const written = Date.now();
  await pause(watchedMs);

  const late = (await ordersAcceptedAfter(written + inForceWithinMs)).map(
    ({ clientOrderId }) => clientOrderId,
  );
  expect(late).toEqual([]);
  const { orders } = await run.audit();
  expect(orders.filter(isOpen)).toEqual([]);
  const cancelled = orders.filter(
    ({ closedUnixNs, status }) => status !== 'FILLED' && closedUnixNs !== null && ms(closedUnixNs) > asked,
  );
  expect(cancelled).not.toEqual([]);
  for (const { cancelRequestedUnixNs, status, clientOrderId } of cancelled) {
    expect(ms(cancelRequestedUnixNs ?? '0'), `${clientOrderId} ${status}`).toBeLessThanOrEqual(
      written + inForceWithinMs,
    );
  }
  const halt = await run.client.of(resourceOf('Halt')).get({ namespace, name });
  expect(halt.status?.reached?.[0]?.blockedAt).toBeDefined();
  expect(halt.status?.reached?.[0]?.cancelsSentAt).toBeDefined();
}

async function lift(name: string): Promise<void> {
  await run.client.of(resourceOf('Halt')).delete({ namespace, name });
  await trading('imbalance-maker');
}

test('a halt stops acceptances and sends every cancel within 500 ms', async () => {
  await haltAndJudge('by-hand');
  await lift('by-hand');
});

test('a halt does the same while the operator is dead', async () => {
  process.kill(run.pidOf('operator/dist/main.js'), 'SIGKILL');
  await haltAndJudge('without-operator');
  await lift('without-operator');
});

test('a strategy with policy CancelOnly is deleted once it has no open order, and its position is unassigned', async () => {
  await patchStrategy('momentum-taker', { deletionPolicy: 'CancelOnly' });
  await until(
    'the policy on the instance',
    5_000,
    async () => (await instanceOf('momentum-taker')).spec.deletionPolicy === 'CancelOnly',
  );
  const prefix = await prefixOf('momentum-taker');
  await run.client.of(resourceOf('TradingStrategy')).delete({ namespace, name: 'momentum-taker' });
  await until(
    'the object to go',
    20_000,
    async () =>
      !(await run.client.of(resourceOf('TradingStrategy')).find({ namespace, name: 'momentum-taker' })),
  );

  expect((await ordersOf(prefix)).filter(isOpen)).toEqual([]);
  // What it owned is the account's again: whole account = what the maker owns + unassigned, in the core's books.
  await until('its balances among the unassigned', 5_000, async () => {
    const account = await run.client.of(resourceOf('TradingAccount')).get({ namespace, name: 'main' });
    const maker = await instanceOf('imbalance-maker');
    const amountIn = (balances: { asset: string; amount: string }[] | undefined, asset: string) =>
      Number(balances?.find((balance) => balance.asset === asset)?.amount ?? 0);
    return account.status?.balances?.every(({ asset, free, locked }) => {
      const owned = amountIn(maker.status?.balances, asset) + amountIn(account.status?.unassigned, asset);
      const total = Number(free) + Number(locked);
      // Two statuses, written one after the other: the maker may have traded in between.
      return Math.abs(total - owned) / total < 0.01;
    });
  });
});

test('a strategy with policy Flatten is deleted only once the exchange holds no order and no position of it', async () => {
  const prefix = await prefixOf('imbalance-maker');
  await run.client.of(resourceOf('TradingStrategy')).delete({ namespace, name: 'imbalance-maker' });
  await until(
    'the object to go',
    30_000,
    async () =>
      !(await run.client.of(resourceOf('TradingStrategy')).find({ namespace, name: 'imbalance-maker' })),
  );

  const orders = await ordersOf(prefix);
  expect(orders.filter(isOpen)).toEqual([]);
  for (const symbol of ['BTCUSDC', 'ETHUSDC']) {
    const position = orders
      .filter((order) => order.symbol === symbol)
      .reduce((sum, { side, executedQty }) => sum + (side === 'BUY' ? 1 : -1) * Number(executedQty), 0);
    const price = Number(orders.find((order) => order.symbol === symbol)?.price);
    // Below the smallest sellable amount, 1 USDC.
    expect(Math.abs(position) * price, symbol).toBeLessThan(1.01);
  }
});

test('a strategy with policy Orphan leaves its orders at the exchange and lists them in an event', async () => {
  const sample = await run.flashpod(['apply', '-f', 'crds/samples/imbalance-maker.yaml']);
  expect(sample.output).toContain('created');
  await patchStrategy('imbalance-maker', { deletionPolicy: 'Orphan' });
  await trading('imbalance-maker');
  const prefix = await prefixOf('imbalance-maker');
  await until('resting orders', 20_000, async () => (await ordersOf(prefix)).filter(isOpen).length >= 2);
  await run.client.of(resourceOf('TradingStrategy')).delete({ namespace, name: 'imbalance-maker' });
  await until(
    'the object to go',
    20_000,
    async () =>
      !(await run.client.of(resourceOf('TradingStrategy')).find({ namespace, name: 'imbalance-maker' })),
  );

  const left = (await ordersOf(prefix)).filter(isOpen).map(({ clientOrderId }) => clientOrderId);
  const { items } = await run.client.of(Events).list({ namespace });
  const orphaned = items
    .filter(({ reason }) => reason === 'OrdersOrphaned')
    .map((event) => JSON.stringify(event));
  expect(orphaned).toHaveLength(1);
  for (const clientOrderId of left) expect(orphaned[0]).toContain(clientOrderId);
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Halt } from '@flashpod/crds';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { resourceOf } from '../operator/src/cli/kinds.ts';
import { compareLedgers } from '../operator/src/cli/up/audit.ts';
import { toScaled } from '../operator/src/cli/up/decimal.ts';
import { ConfigMaps, Namespaces } from '../operator/src/kube/index.ts';
import { type Amounts, add, balancesOf, changesOf, isOpen, leftIn, ms, ownerOf } from './books.ts';
import { LocalRun } from './local-run.ts';
import { until } from './shared.ts';

// Two desks, three cores, three accounts, ten strategies in one run, judged by the exchange's own books: every order
// and coin belongs to one strategy, and what belongs to none is never touched.

const desk = 'second-desk';
const apiVersion = 'trading.flashpod.dev/v1alpha1';
const quote = 'USDC';
const pairs = ['BTCUSDC', 'ETHUSDC'];

interface Account {
  readonly namespace: string;
  readonly name: string;
  readonly core: string;
  /** Undefined: the run's own. */
  readonly apiKey: string | undefined;
  readonly strategies: readonly string[];
}
const accounts: readonly Account[] = [
  {
    namespace: 'default',
    name: 'main',
    core: 'core',
    apiKey: undefined,
    strategies: ['imbalance-maker', 'momentum-taker', 'third'],
  },
  {
    namespace: desk,
    name: 'alpha',
    core: 'core-a',
    apiKey: 'alpha-key',
    strategies: ['a-maker-btc', 'a-maker-eth', 'a-maker-both', 'a-taker'],
  },
  {
    namespace: desk,
    name: 'beta',
    core: 'core-b',
    apiKey: 'beta-key',
    strategies: ['b-maker-btc', 'b-maker-eth', 'b-taker'],
  },
];
const capital = [
  { asset: 'USDC', amount: '5000' },
  { asset: 'BTC', amount: '0.05' },
  { asset: 'ETH', amount: '1' },
];
/** The user's own coins at the second desk's accounts: more than all its strategies own, and a coin none of them knows. */
const deposits = { USDC: '30000', BTC: '1.5', ETH: '20', MX: '77.7' };

let run: LocalRun;
let folder: string;
const before = new Map<string, Amounts>();

const maker = (symbols: string[]) => ({
  strategy: 'imbalance-maker',
  symbols,
  parameters: { orderNotional: '100', maxInventoryNotional: '1000' },
});
const taker = () => ({
  strategy: 'momentum-taker',
  symbols: pairs,
  parameters: { orderNotional: '100', stopBps: 3 },
});

function strategy(
  namespace: string,
  name: string,
  account: string,
  what: ReturnType<typeof maker | typeof taker>,
) {
  const risk = { maxOrderNotional: '500', maxPositionNotional: '2500', maxOpenOrders: 4, maxOrderRate: 3 };
  const spec = { ...what, accountRef: { name: account }, mode: 'Live', capital, risk };
  return { apiVersion, kind: 'TradingStrategy', metadata: { name, namespace }, spec };
}

async function secondDesk(): Promise<object[]> {
  const main = await run.client.of(resourceOf('TradingAccount')).get({ namespace: 'default', name: 'main' });
  const ca = await run.client.of(ConfigMaps).get({ namespace: 'default', name: 'venue-ca' });
  const account = (name: string, core: string) => [
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: `${name}-keys`, namespace: desk },
      stringData: { apiKey: `${name}-key`, secretKey: `${name}-secret` },
    },
    {
      apiVersion,
      kind: 'TradingAccount',
      metadata: { name, namespace: desk },
      spec: { ...main.spec, credentialsSecretRef: { name: `${name}-keys` } },
    },
    {
      apiVersion,
      kind: 'ExecutionCore',
      metadata: { name: core, namespace: desk },
      spec: { accounts: [name] },
    },
  ];
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: desk } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'venue-ca', namespace: desk }, data: ca.data },
    ...account('alpha', 'core-a'),
    ...account('beta', 'core-b'),
  ];
}

const strategies = [
  strategy('default', 'third', 'main', maker(['BTCUSDC'])),
  strategy(desk, 'a-maker-btc', 'alpha', maker(['BTCUSDC'])),
  strategy(desk, 'a-maker-eth', 'alpha', maker(['ETHUSDC'])),
  strategy(desk, 'a-maker-both', 'alpha', maker(pairs)),
  strategy(desk, 'a-taker', 'alpha', taker()),
  strategy(desk, 'b-maker-btc', 'beta', maker(['BTCUSDC'])),
  strategy(desk, 'b-maker-eth', 'beta', maker(['ETHUSDC'])),
  strategy(desk, 'b-taker', 'beta', taker()),
];

async function apply(objects: object[]): Promise<void> {
  const { code, output } = await run.flashpod(
    ['apply', '-f', '-'],
    objects.map((object) => stringify(object)).join('---\n'),
  );
  if (code !== 0) throw new Error(output);
}

async function instancesOf({ namespace, name }: Account) {
  const { items } = await run.client.of(resourceOf('StrategyInstance')).list({ namespace });
  return items.filter(({ spec }) => spec.accountRef.name === name);
}

/** Waits until every strategy of every account has new orders at the exchange. */
async function allTrade(since: number, of: readonly Account[] = accounts): Promise<void> {
  for (const account of of) {
    await until(`orders of every strategy of ${account.name}`, 60_000, async () => {
      const { orders } = await run.audit(account.apiKey);
      const recent = orders.filter(({ acceptedUnixNs }) => ms(acceptedUnixNs) > since);
      return new Set(recent.map(ownerOf)).size >= account.strategies.length;
    });
  }
}

const halt = (namespace: string): Halt => ({
  apiVersion,
  kind: 'Halt',
  metadata: { name: 'for-the-audit', namespace },
  spec: { selector: { all: true }, action: 'Cancel' },
});
const halts = () => run.client.of(resourceOf('Halt'));

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'flashpod-e2e-'));
  const file = join(folder, 'accounts.json');
  const keys = ['alpha', 'beta'].map((name) => ({
    apiKey: `${name}-key`,
    secretKey: `${name}-secret`,
    balances: deposits,
  }));
  writeFileSync(file, JSON.stringify({ accounts: keys }));
  run = await LocalRun.start(['--seed', '11', '--venue-accounts', file]);
  for (const { name, apiKey } of accounts) {
    const { balances, orders } = await run.audit(apiKey);
    const sums = balancesOf({ balances, orders: [], apiKey: '' });
    // The samples may have traded already.
    for (const [asset, amount] of changesOf(orders, quote)) add(sums, asset, -amount);
    before.set(name, sums);
  }
  await apply([...(await secondDesk()), ...strategies]);
  await allTrade(0);
});

afterAll(async () => {
  const { report } = await run.stop();
  rmSync(folder, { recursive: true, force: true });
  expect(report.differences).toEqual([]);
  expect(report.ledgerEqualsVenue).toBe(true);
});

test('ten strategies of two desks trade side by side, each with what is its own and nothing else', async () => {
  for (const namespace of ['default', desk]) await halts().create(halt(namespace));
  const owners = new Set<string>();
  for (const account of accounts) {
    // At rest, so that the exchange and the core can be read one after the other.
    const books = await until(`equal books of ${account.name}`, 20_000, async () => {
      const [core, venue] = await Promise.all([
        run.ledger(account.name, account.core, account.namespace),
        run.audit(account.apiKey),
      ]);
      return compareLedgers(core, venue).equal && !venue.orders.some(isOpen) && venue;
    });
    const groups = Map.groupBy(books.orders, ownerOf);
    expect(groups.size, account.name).toBe(account.strategies.length);
    for (const owner of groups.keys()) {
      expect(owners, 'an instance trades on one account').not.toContain(owner);
      owners.add(owner);
    }

    const instances = await instancesOf(account);
    const owned: Amounts = new Map();
    for (const { spec } of instances)
      for (const { asset, amount } of spec.capital) add(owned, asset, toScaled(amount));
    const own = new Map(
      account.namespace === 'default' ? [] : capital.map(({ asset, amount }) => [asset, toScaled(amount)]),
    );
    for (const [owner, orders] of groups) {
      // At no moment did a strategy have less than nothing of a coin: it never spent another's.
      changesOf(orders, quote, (sums) => {
        for (const [asset, change] of own.size === 0 ? [] : sums)
          expect((own.get(asset) ?? 0n) + change, `${owner} ${asset}`).toBeGreaterThanOrEqual(0n);
      });
    }

    // What was there before, less what the strategies were given, is the user's own still, to the last digit.
    const left = new Map(before.get(account.name));
    for (const [asset, amount] of owned) add(left, asset, -amount);
    const traded = changesOf(books.orders, quote);
    for (const [asset, total] of balancesOf(books))
      expect(total - (owned.get(asset) ?? 0n) - (traded.get(asset) ?? 0n), `${account.name} ${asset}`).toBe(
        left.get(asset),
      );
    const { status } = await run.client
      .of(resourceOf('TradingAccount'))
      .get({ namespace: account.namespace, name: account.name });
    const unassigned = new Map(status?.unassigned?.map(({ asset, amount }) => [asset, toScaled(amount)]));
    expect(unassigned).toEqual(new Map([...left].filter(([, amount]) => amount !== 0n)));
  }
  expect(owners.size).toBe(10);
  for (const namespace of ['default', desk]) await halts().delete({ namespace, name: 'for-the-audit' });
});

test('deleting the namespace of a desk flattens it within the grace of its cores, and the other desk trades on', async () => {
  await allTrade(Date.now());
  await run.client.of(Namespaces).delete({ name: desk });
  const gone = async () => !(await run.client.of(Namespaces).find({ name: desk }));
  await until('the namespace to go', 45_000, gone).catch(async (error: Error) => {
    const { items } = await run.client.of(resourceOf('StrategyInstance')).list({ namespace: desk });
    const left = items.map(({ metadata, status }) => [
      metadata.name,
      metadata.deletionTimestamp,
      status?.proof,
    ]);
    throw new Error(`${error.message}; instances left: ${JSON.stringify(left)}`);
  });
  for (const account of accounts.filter(({ namespace }) => namespace === desk)) {
    const { orders } = await run.audit(account.apiKey);
    expect(orders.filter(isOpen), account.name).toEqual([]);
    // Below the smallest sellable amount, 1 USDC.
    for (const [owner, own] of Map.groupBy(orders, ownerOf))
      for (const symbol of pairs)
        expect(leftIn(own, symbol), `${account.name} ${owner} ${symbol}`).toBeLessThan(1.01);
  }
  await allTrade(Date.now(), accounts.slice(0, 1));
});

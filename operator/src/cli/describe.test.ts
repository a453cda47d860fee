import { afterAll, beforeAll, expect, test } from 'vitest';
import { TradingStrategies } from '../api/resources.js';
import { findCondition } from '../kube/index.js';
import { Desk, namespace, strategy } from '../testing/desk.js';
import { describeObject, renderDescription } from './describe.js';

let desk: Desk;
beforeAll(async () => {
  desk = await Desk.start();
  await desk.core.start();
  desk.startOperator();
  await desk.startAgent('pod-1');
  await desk.create(strategy('maker'));
  await desk.create(strategy('wrong', { symbols: ['BTCUSDX'] }));
  await desk.until(TradingStrategies, 'maker', (object) => object?.status?.instance !== undefined);
  await desk.until(
    TradingStrategies,
    'wrong',
    (object) => findCondition(object?.status?.conditions, 'Accepted')?.status === 'False',
  );
});
afterAll(() => desk.stop());

const describe = async (name: string) => {
  const described = await describeObject(desk.client, 'TradingStrategy', namespace, name);
  return { described, text: renderDescription(described, Date.now()) };
};

test('a strategy is shown with spec, conditions, orders and events, those of its instance too', async () => {
  const until = Date.now() + 5_000;
  let { described, text } = await describe('maker');
  // Events are written beside the work, a moment later.
  while (described.events.length < 2 && Date.now() < until) ({ described, text } = await describe('maker'));
  expect(described.instance?.metadata.name).toBe(
    (described.object as { status?: { instance?: string } }).status?.instance,
  );
  for (const part of [
    'TradingStrategy default/maker',
    'Spec:',
    'Conditions:',
    'Accepted',
    'Orders:',
    'Events:',
    'InstanceCreated',
  ])
    expect(text).toContain(part);
});

test('events of another object of the same name are not shown', async () => {
  await desk.create(strategy('main', { symbols: ['BTCUSDX'] }));
  const events = async (kind: 'TradingStrategy' | 'TradingAccount') =>
    (await describeObject(desk.client, kind, namespace, 'main')).events;
  // Events are written beside the work, a moment later.
  await expect.poll(() => events('TradingStrategy'), { timeout: 5_000 }).not.toEqual([]);
  for (const { regarding } of await events('TradingAccount')) expect(regarding?.kind).toBe('TradingAccount');
});

test('what is wrong comes with what to do', async () => {
  const { described, text } = await describe('wrong');
  expect(described.next[0]).toMatch(/^Correct spec\.symbols/);
  expect(text).toMatch(/SymbolUnknown[\s\S]*BTCUSDX[\s\S]*What to do:\n {2}Correct spec\.symbols/);
});

test('accounts and cores are described alike, and what is not there is said', async () => {
  const account = await describeObject(desk.client, 'TradingAccount', namespace, 'main');
  expect(renderDescription(account, Date.now())).toMatch(
    /TradingAccount default\/main[\s\S]*Pairs:\n {2}BTCUSDC, ETHUSDC/,
  );
  await expect(describeObject(desk.client, 'Halt', namespace, 'none')).rejects.toMatchObject({
    code: 'kube.not-found',
  });
});

test('losses and what they stopped are shown, and how the market went on after fills', async () => {
  const { described } = await describe('maker');
  const reached = { rule: 'DailyLoss', lost: '10.5', limit: '10', at: '2026-01-01T00:00:00Z' } as const;
  const status = {
    state: 'Halted',
    losses: [{ quoteAsset: 'USDC', dayLoss: '10.5', drawdown: '12', reached, reset: 'a', resetAt: 'b' }],
    figures: [
      {
        symbol: 'BTCUSDC',
        acceptedOrders: 3,
        fills: 2,
        rejects: 0,
        markOuts: [
          { afterMs: 1_000, fills: 2, value: '-0.1', bps: -5 },
          { afterMs: 5_000, fills: 0, value: '0' },
        ],
      },
    ],
  } as const;
  const instance = { ...described.instance, status } as unknown as typeof described.instance;
  const text = renderDescription({ ...described, instance }, Date.now());
  expect(text).toContain(
    '10.5 USDC since 00:00 UTC, 12 from the peak; stopped by DailyLoss at 2026-01-01T00:00:00Z: 10.5 of 10; reset a carried out at b',
  );
  expect(text).toContain('BTCUSDC: the market moved -5.00 bps 1 s after 2 fills\n');
});

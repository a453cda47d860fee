import type { Halt, StrategyInstance, TradingStrategy } from '@flashpod/crds';
import { expect, test } from 'vitest';
import { annotations } from '../api/names.js';
import { account, strategy as sample } from '../testing/desk.js';
import { policyFor, tighter } from './policy.js';
import { runsHashOf } from './runs.js';

const strategy = (change: Partial<TradingStrategy['spec']> = {}, metadata = {}): TradingStrategy => {
  const object = sample('s', change);
  return { ...object, metadata: { ...object.metadata, uid: 'u', ...metadata } };
};

function instance(
  of: TradingStrategy = strategy(),
  change: { metadata?: object; status?: StrategyInstance['status'] } = {},
): StrategyInstance {
  const { spec } = of;
  return {
    apiVersion: of.apiVersion,
    kind: 'StrategyInstance',
    metadata: { name: 's-1', namespace: 'default', ...change.metadata },
    spec: {
      number: 1,
      runsHash: runsHashOf(spec),
      strategyRef: { name: 's', uid: 'u' },
      strategy: spec.strategy,
      symbols: spec.symbols,
      accountRef: spec.accountRef,
      coreRef: { name: 'core' },
      mode: spec.mode,
      parameters: spec.parameters,
      capital: spec.capital,
      limits: spec.risk,
      deletionPolicy: spec.deletionPolicy,
      onSidecarLoss: spec.onSidecarLoss,
      tokenSecretRef: { name: 't' },
      tokenSha256: '',
    },
    ...(change.status === undefined ? {} : { status: change.status }),
  };
}

const halt = (selector: Halt['spec']['selector'], name = 'h'): Halt => ({
  apiVersion: strategy().apiVersion,
  kind: 'Halt',
  metadata: { name, namespace: 'default' },
  spec: { selector, action: 'Cancel' },
});
const deletionTimestamp = '2026-01-01T00:00:00Z';
const proof = { policy: 'Flatten', noOpenOrders: true, flat: true, provenAt: deletionTimestamp } as const;
const production = { ...account(), spec: { ...account().spec, environment: 'Production' as const } };

test.each<
  [string, TradingStrategy | undefined, StrategyInstance, ReturnType<typeof account> | undefined, string]
>([
  ['it runs', strategy(), instance(), account(), ''],
  ['it runs while its account is not known', strategy(), instance(), undefined, ''],
  ['the strategy is gone', undefined, instance(), account(), 'there is no strategy s'],
  [
    'the strategy is another of that name',
    strategy({}, { uid: 'v' }),
    instance(),
    account(),
    'there is no strategy s',
  ],
  [
    'the strategy is being deleted',
    strategy({}, { deletionTimestamp }),
    instance(),
    account(),
    'strategy is being deleted',
  ],
  ['the strategy is suspended', strategy({ suspended: true }), instance(), account(), 'suspended'],
  [
    'the instance is being deleted',
    strategy(),
    instance(strategy(), { metadata: { deletionTimestamp } }),
    account(),
    'instance is being deleted',
  ],
  [
    'its stop was proven, whatever is wanted now',
    strategy(),
    instance(strategy(), { status: { state: 'Halted', proof } }),
    account(),
    'proven',
  ],
  ['production without allowLive', strategy(), instance(), production, 'without allowLive'],
  [
    'production with allowLive',
    strategy(),
    instance(),
    { ...production, spec: { ...production.spec, allowLive: true } },
    '',
  ],
])('%s', (_, owner, of, on, because) => {
  const policy = policyFor(owner, of, on === undefined ? [] : [on], []);
  expect(policy.state).toBe(because === '' ? 'Run' : 'Stop');
  expect(policy.because).toContain(because);
});

const risk = strategy().spec.risk;

test('limits act at once, tighter and looser, while nothing else changed', () => {
  const wanted = { ...risk, maxOrderNotional: '999', maxOpenOrders: 1 };
  expect(policyFor(strategy({ risk: wanted }), instance(), [account()], []).limits).toEqual(wanted);
});

test('while something else changed too, only tighter limits act on the former instance', () => {
  const wanted = { ...risk, maxOrderNotional: '9.5', maxPositionNotional: '90000', maxOpenOrders: 99 };
  const { limits } = policyFor(strategy({ risk: wanted, symbols: ['ETHUSDC'] }), instance(), [account()], []);
  expect(limits).toEqual({ ...risk, maxOrderNotional: '9.5' });
});

test('of limits that need not be set, any is tighter than none, and Halt is tighter than ReduceOnly', () => {
  const a = { ...risk, maxDailyLoss: '10', maxInFlight: 3, onLossLimit: 'ReduceOnly' } as const;
  const b = { ...risk, maxDailyLoss: '9.5', maxOrderQuantity: '2', maxDrawdown: '7' };
  expect(tighter(a, b)).toEqual({
    ...risk,
    maxDailyLoss: '9.5',
    maxInFlight: 3,
    maxOrderQuantity: '2',
    maxDrawdown: '7',
  });
  expect(tighter(a, a)).toEqual(a);
});

test('a reset is what the annotation says, as far as it is no longer than 64 bytes', () => {
  const noted = (text: string) => strategy({}, { annotations: { [annotations.resetRisk]: text } });
  const resetOf = (owner: TradingStrategy | undefined) =>
    policyFor(owner, instance(), [account()], []).riskReset;
  expect([resetOf(undefined), resetOf(strategy()), resetOf(noted('2026-01-01'))]).toEqual([
    '',
    '',
    '2026-01-01',
  ]);
  expect(resetOf(noted(`${'x'.repeat(63)}€`))).toBe('x'.repeat(63));
});

test('the order of symbols, capital and parameters is not a change', () => {
  const { capital } = strategy().spec;
  const one = strategy({ symbols: ['A', 'B'], parameters: { a: 1, b: 2 } });
  const other = strategy({
    symbols: ['B', 'A'],
    parameters: { b: 2, a: 1 },
    capital: [...capital].reverse(),
  });
  expect(runsHashOf(one.spec)).toBe(runsHashOf(other.spec));
});

test('the deletion policy of now counts, also for an instance that was made under another', () => {
  expect(policyFor(strategy({ deletionPolicy: 'Orphan' }), instance(), [account()], []).deletionPolicy).toBe(
    'Orphan',
  );
  expect(policyFor(undefined, instance(), [account()], []).deletionPolicy).toBe('Flatten');
});

test('a halt covers by strategy, account, core, or all', () => {
  const halts = [
    halt({ strategies: ['s'] }, 'a'),
    halt({ accounts: ['main'] }, 'b'),
    halt({ cores: ['core'] }, 'c'),
    halt({ all: true }, 'd'),
    halt({ strategies: ['other'], accounts: ['other'], cores: ['other'] }, 'e'),
  ];
  const covering = policyFor(strategy(), instance(), [account()], halts).halts;
  expect(covering.map(({ metadata }) => metadata.name)).toEqual(['a', 'b', 'c', 'd']);
});

test('an account that is another one at the exchange is not traded on, the one that was first is', () => {
  const twin = { ...account(), metadata: { ...account().metadata, name: 'main-2' } };
  const accounts = [account(), twin];
  expect(policyFor(strategy(), instance(), accounts, []).state).toBe('Run');
  const other = strategy({ accountRef: { name: 'main-2' } });
  expect(policyFor(other, instance(other), accounts, [])).toMatchObject({
    state: 'Stop',
    because: 'account main-2 is the same exchange account as main',
  });
});

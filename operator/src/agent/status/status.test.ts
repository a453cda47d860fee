import {
  AccountStatusSchema,
  CoreStatusSchema,
  create,
  DeletionPolicy,
  InstanceStatusSchema,
  LossRule,
  TradingState,
} from '@flashpod/proto';
import { expect, test } from 'vitest';
import { accountStatus } from './account.js';
import { coreStatus, haltStatus } from './core.js';
import { time } from './figures.js';
import { instanceStatus } from './instance.js';

const now = new Date('2026-01-01T00:00:00Z');
const facts = { trouble: undefined, generation: 4, ready: true, now };

test('nanoseconds become RFC 3339 with microseconds, and 0 is not yet', () => {
  expect(time(1_767_225_600_123_456_789n)).toBe('2026-01-01T00:00:00.123456Z');
  expect(time(0n)).toBeUndefined();
});

test('a figure that is no decimal is left out, and the rest is kept', () => {
  const seen = create(InstanceStatusSchema, {
    state: TradingState.REDUCE_ONLY,
    reasons: ['STALE'],
    positions: [
      { symbol: 'BTCUSDC', quantity: '0.5', averageCost: '', realisedPnl: 'NaN', fees: '1e5', openOrders: 2 },
    ],
    balances: [
      { asset: 'USDC', amount: '-1.5' },
      { asset: 'BTC', amount: 'x' },
    ],
  });
  expect(instanceStatus(seen, undefined, facts)).toMatchObject({
    observedGeneration: 4,
    state: 'ReduceOnly',
    reasons: ['STALE'],
    positions: [{ symbol: 'BTCUSDC', quantity: '0.5', openOrders: 2 }],
    balances: [{ asset: 'USDC', amount: '-1.5' }],
  });
});

test('a stop is proven only once it has a time', () => {
  const proof = { policy: DeletionPolicy.CANCEL_ONLY, noOpenOrders: true, waitingFor: 'fills' };
  const waiting = instanceStatus(create(InstanceStatusSchema, { proof }), undefined, facts).proof;
  expect(waiting).toEqual({ policy: 'CancelOnly', noOpenOrders: true, flat: false, waitingFor: 'fills' });
  const proven = instanceStatus(
    create(InstanceStatusSchema, { proof: { ...proof, provenUnixNs: 1_000n } }),
    undefined,
    facts,
  ).proof;
  expect(proven?.provenAt).toBe('1970-01-01T00:00:00.000001Z');
});

test('the operator’s part of a core’s status stays, and a pair is listed once, with its worse book', () => {
  const seen = create(CoreStatusSchema, {
    version: '1',
    books: [
      { symbol: 'BTCUSDC', state: 'CERTIFIED', certifiedShare: 1 },
      { symbol: 'BTCUSDC', state: 'GAP', certifiedShare: 0.5 },
    ],
  });
  const status = coreStatus(seen, { pod: 'p', node: 'n' }, { trouble: undefined, generation: 1, now });
  expect(status).toMatchObject({ pod: 'p', node: 'n', version: '1' });
  expect(status.books?.map(({ symbol, state }) => [symbol, state])).toEqual([['BTCUSDC', 'GAP']]);
});

test('a halt keeps what other cores wrote', () => {
  const seen = create(CoreStatusSchema, { halts: [{ uid: 'u', blockedUnixNs: 1_000n, instances: 2 }] });
  const halt = {
    apiVersion: 'trading.flashpod.dev/v1alpha1' as const,
    kind: 'Halt' as const,
    metadata: { name: 'h', uid: 'u' },
    spec: { selector: { all: true }, action: 'Cancel' as const },
    status: {
      reached: [
        { core: 'z', flat: true },
        { core: 'a', flat: false },
      ],
    },
  };
  expect(haltStatus(seen, halt, 'a')?.reached).toEqual([
    { core: 'a', blockedAt: '1970-01-01T00:00:00.000001Z', flat: false, instances: 2 },
    { core: 'z', flat: true },
  ]);
});

const tenure = { state: 'Held', epoch: 3 } as const;
const account = { core: 'a', tenure, trouble: undefined, generation: 1, now };
const condition = (status: ReturnType<typeof accountStatus>, type: string) =>
  status?.conditions?.find((candidate) => candidate.type === type);

test('an account is described by the core that holds it, or that held it last', () => {
  const seen = create(AccountStatusSchema, { ready: true });
  const others = { core: 'b', holder: 'pod-b', epoch: 2 };
  const waiting = { state: 'Waiting', message: 'the core is still reconciling' } as const;
  expect(accountStatus(seen, others, { ...account, tenure: waiting })).toBe(others);
  expect(accountStatus(seen, others, account)).toMatchObject({ core: 'a', holder: 'pod-b', epoch: 2 });
  const restarted = accountStatus(seen, { ...others, core: 'a' }, { ...account, tenure: waiting });
  expect(condition(restarted, 'Ready')).toMatchObject({ status: 'False', reason: 'LeaseWaiting' });
});

test('an account whose core was never heard of by this agent is not said to be ready', () => {
  const before = accountStatus(
    create(AccountStatusSchema, { ready: true, symbols: ['BTCUSDC'] }),
    {},
    account,
  );
  expect(condition(before, 'Ready')?.status).toBe('True');
  const after = accountStatus(undefined, before, { ...account, trouble: 'silent' });
  expect(condition(after, 'Ready')).toMatchObject({
    status: 'False',
    reason: 'Disconnected',
    message: 'silent',
  });
  expect(after?.symbols).toEqual(['BTCUSDC']);
});

test('a name that the schema does not take costs its own entry, not the status', () => {
  const long = 'A'.repeat(40);
  const seen = create(AccountStatusSchema, {
    symbols: ['BTCUSDC', long],
    balances: [
      { asset: long, free: '1', locked: '0' },
      { asset: 'USDC', free: '1', locked: '0' },
    ],
    unassigned: [
      { asset: long, amount: '1' },
      { asset: 'USDC', amount: '1' },
    ],
  });
  expect(accountStatus(seen, undefined, account)).toMatchObject({
    symbols: ['BTCUSDC'],
    balances: [{ asset: 'USDC', free: '1', locked: '0' }],
    unassigned: [{ asset: 'USDC', amount: '1' }],
  });
});

test('a proof that is there is not taken back by a core that has forgotten it', () => {
  const proof = {
    policy: 'Flatten',
    noOpenOrders: true,
    flat: true,
    provenAt: '2026-01-01T00:00:00Z',
  } as const;
  const state = 'Halted';
  const forgetful = create(InstanceStatusSchema, { proof: { waitingFor: 'the reconciliation' } });
  expect(instanceStatus(forgetful, { state, proof }, facts).proof).toEqual(proof);
  expect(instanceStatus(create(InstanceStatusSchema, {}), { state, proof }, facts).proof).toEqual(proof);
  const { provenAt: _, ...unproven } = proof;
  expect(
    instanceStatus(create(InstanceStatusSchema, {}), { state, proof: unproven }, facts).proof,
  ).toBeUndefined();
});

test('what a core proved in its last report counts, though it is gone before that was written', () => {
  const proof = { policy: DeletionPolicy.FLATTEN, noOpenOrders: true, flat: true };
  const gone = { ...facts, trouble: 'the core is disconnected: OK' };
  const last = create(InstanceStatusSchema, { proof: { ...proof, provenUnixNs: 1_000n } });
  expect(instanceStatus(last, { state: 'Halted' }, gone)).toMatchObject({
    state: 'Pending',
    proof: { provenAt: '1970-01-01T00:00:00.000001Z', flat: true },
  });
  const before = { policy: 'Flatten', noOpenOrders: false, flat: false, waitingFor: 'fills' } as const;
  const unproven = create(InstanceStatusSchema, { proof: { ...proof, waitingFor: 'a bid' } });
  expect(instanceStatus(unproven, { state: 'Halted', proof: before }, gone).proof).toEqual(before);
});

test('losses, fees in third assets and mark-outs are told as the core counts them', () => {
  const seen = create(InstanceStatusSchema, {
    losses: [
      {
        quoteAsset: 'USDC',
        dayLoss: '10.5',
        drawdown: '',
        reached: { rule: LossRule.DAILY_LOSS, lost: '10.5', limit: '10', atUnixNs: 1_000n },
        reset: 'yesterday',
        resetUnixNs: 2_000n,
      },
    ],
    figures: [
      {
        symbol: 'BTCUSDC',
        fills: 2n,
        otherFees: [{ asset: 'MX', amount: '0.25' }],
        markOuts: [
          { afterMs: 1_000, fills: 2n, value: '-0.5', notional: '1000' },
          { afterMs: 5_000, fills: 0n, value: '0', notional: '0' },
        ],
      },
    ],
  });
  const status = instanceStatus(seen, undefined, facts);
  expect(status.losses).toEqual([
    {
      quoteAsset: 'USDC',
      dayLoss: '10.5',
      reached: { rule: 'DailyLoss', lost: '10.5', limit: '10', at: '1970-01-01T00:00:00.000001Z' },
      reset: 'yesterday',
      resetAt: '1970-01-01T00:00:00.000002Z',
    },
  ]);
  expect(status.figures?.[0]).toMatchObject({
    otherFees: [{ asset: 'MX', amount: '0.25' }],
    markOuts: [
      { afterMs: 1_000, fills: 2, value: '-0.5', bps: -5 },
      { afterMs: 5_000, fills: 0, value: '0' },
    ],
  });
});

test('the checkpoint of a core before stays until ours is reconciled, and then is what ours says', () => {
  const before = { state: 'Active', checkpoint: 'theirs' } as const;
  const of = (checkpoint: string, ready: boolean) =>
    instanceStatus(create(InstanceStatusSchema, { checkpoint }), before, { ...facts, ready }).checkpoint;
  expect(of('', false)).toBe('theirs');
  expect(of('ours', true)).toBe('ours');
  // Its stop is proven: there is nothing to go on with.
  expect(of('', true)).toBeUndefined();
  // Half of one would be none.
  expect(of('x'.repeat(262_145), true)).toBeUndefined();
});

import type { StrategyInstance } from '@flashpod/crds';
import { InstancePolicy_State, LossAction } from '@flashpod/proto';
import { expect, test } from 'vitest';
import { account, core, strategy } from '../testing/desk.js';
import { type AgentWorld, desiredState } from './desired.js';
import { leftBy } from './left.js';

const owner = { ...strategy('s'), metadata: { name: 's', namespace: 'default', uid: 'u' } };
const instance = {
  metadata: { name: 's-1', namespace: 'default', uid: 'i' },
  spec: {
    ...owner.spec,
    limits: owner.spec.risk,
    strategyRef: { name: 's', uid: 'u' },
    coreRef: { name: 'core' },
  },
} as unknown as StrategyInstance;
const world: AgentWorld = {
  coreName: 'core',
  core: core(),
  instances: [instance],
  halts: [],
  strategy: () => owner,
  accounts: [account()],
  namespaceEnds: false,
};
const state = (change: Partial<AgentWorld>) =>
  desiredState({ ...world, ...change }, { told: undefined, proven: new Set() }).instances?.[0]?.state;

test('with its namespace everything stops, also what is not marked for deletion yet', () => {
  expect(state({})).toBe(InstancePolicy_State.RUN);
  expect(state({ namespaceEnds: true })).toBe(InstancePolicy_State.STOP);
});

test('loss limits, and the resets that annotations ask for, reach the core for the strategy and the account', () => {
  const annotations = { 'trading.flashpod.dev/reset-risk': 'now' };
  const risk = { ...owner.spec.risk, maxDailyLoss: '10', onLossLimit: 'ReduceOnly' } as const;
  const strategyOf = () => ({
    ...owner,
    metadata: { ...owner.metadata, annotations },
    spec: { ...owner.spec, risk },
  });
  const limits = { maxExposure: '1000', maxConcentrationPct: 40, maxLoss: '50' };
  const { metadata, spec } = account();
  const accounts = [{ ...account(), metadata: { ...metadata, annotations }, spec: { ...spec, limits } }];
  const limited = { ...instance, spec: { ...instance.spec, limits: risk } };
  const { instances, accounts: told } = desiredState(
    { ...world, instances: [limited], strategy: strategyOf, accounts },
    { told: undefined, proven: new Set() },
  );
  expect(instances?.[0]).toMatchObject({
    owner: 's',
    ownerUid: 'u',
    riskReset: 'now',
    limits: { maxDailyLoss: '10', onLoss: LossAction.REDUCE_ONLY },
  });
  expect(told?.[0]).toMatchObject({
    maxConcentrationPct: 40,
    maxLoss: '50',
    maxDrawdown: '',
    onLoss: LossAction.HALT,
    riskReset: 'now',
  });
});

test('an acceptance of a difference reaches the core until one has carried it out', () => {
  const { metadata, ...rest } = account();
  const asked = {
    ...rest,
    metadata: { ...metadata, annotations: { 'trading.flashpod.dev/adopt': 'monday' } },
  };
  const adopt = (request?: string) => {
    const status = request === undefined ? {} : { adoption: { request } };
    const accounts = [{ ...asked, status }];
    return desiredState({ ...world, accounts }, { told: undefined, proven: new Set() }).accounts?.[0]?.adopt;
  };
  expect(adopt()).toBe('monday');
  expect(adopt('sunday')).toBe('monday');
  // A core without its journal does not know what another one did.
  expect(adopt('monday')).toBe('');
});

test('what a core before left goes to one that connects, by uid of the instance', () => {
  const { metadata, ...rest } = account();
  const unassigned = [{ asset: 'USDC', amount: '12.5' }];
  const accounts = [{ ...rest, metadata, status: { unassigned } }];
  const kept = (uid: string) => ({
    ...instance,
    metadata: { ...instance.metadata, uid },
    status: { state: 'Active' as const, checkpoint: '{}' },
  });
  const told = (uid: string) =>
    desiredState(
      { ...world, accounts },
      { told: undefined, proven: new Set(), left: leftBy([kept(uid)], accounts) },
    );
  expect(told('i').instances?.[0]?.checkpoint).toBe('{}');
  expect(told('i').accounts?.[0]?.unassigned).toEqual(unassigned);
  expect(told('another').instances?.[0]?.checkpoint).toBe('');
  // Without a checkpoint the ledger begins with the balances that the exchange has.
  expect(leftBy([instance], accounts).unassigned.size).toBe(0);
});

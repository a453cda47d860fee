import type { StrategyInstance } from '@flashpod/crds';
import { InstancePolicy_State } from '@flashpod/proto';
import { expect, test } from 'vitest';
import { account, core, strategy } from '../testing/desk.js';
import { type AgentWorld, desiredState } from './desired.js';

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

import type { Halt } from '@flashpod/crds';
import { expect, test } from 'vitest';
import { account, core, strategy } from '../testing/desk.js';
import { haltStatus } from './plan.js';
import { type HaltWorld, selectionOf } from './selects.js';

const halt = (selector: Halt['spec']['selector']): Halt => ({
  apiVersion: 'trading.flashpod.dev/v1alpha1',
  kind: 'Halt',
  metadata: { name: 'h', namespace: 'default', generation: 1 },
  spec: { selector, action: 'Cancel' },
});
const running = { ...strategy('maker'), status: { core: 'core' } };
const world: HaltWorld = {
  namespace: 'default',
  strategies: [running, strategy('taker')],
  accounts: [account()],
  cores: [core()],
};
const empty: HaltWorld = { namespace: 'desk', strategies: [], accounts: [], cores: [] };

test.each<[Halt['spec']['selector'], HaltWorld, string]>([
  [{ strategies: ['taker'] }, world, 'selects strategy taker'],
  [{ accounts: ['main'] }, world, 'selects strategies maker, taker'],
  [{ cores: ['core'] }, world, 'selects strategy maker'],
  [{ all: true }, world, 'selects strategies maker, taker'],
  [
    { strategies: ['nosuch'] },
    world,
    'selects nothing now: no strategy nosuch in namespace default; it will act on one that appears',
  ],
  [
    { accounts: ['mian'], cores: ['cor'] },
    world,
    'selects nothing now: no account mian, no core cor in namespace default; it will act on one that appears',
  ],
  [
    { strategies: ['maker', 'nosuch'] },
    world,
    'selects strategy maker; no strategy nosuch in namespace default: it will act on one that appears',
  ],
  [
    { all: true },
    empty,
    'selects nothing now: no strategy that it covers in namespace desk; it will act on one that appears',
  ],
  [
    { accounts: ['main'] },
    { ...world, strategies: [] },
    'selects nothing now: no strategy that it covers in namespace default; it will act on one that appears',
  ],
])('%j %#', (selector, there, message) => {
  expect(selectionOf(halt(selector), there).message).toBe(message);
});

test('the condition is put beside what the agents wrote', () => {
  const reached = [{ core: 'core', instances: 0 }];
  const status = haltStatus(halt({ strategies: ['nosuch'] }), world, { reached }, new Date(0));
  expect(status).toMatchObject({
    reached,
    conditions: [{ type: 'Selects', status: 'False', reason: 'NothingSelected', observedGeneration: 1 }],
  });
});

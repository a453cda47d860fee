import type { Halt, StrategyInstance } from '@flashpod/crds';
import { expect, test } from 'vitest';
import { account, core, strategy } from '../testing/desk.js';
import { healthOf, type Observed, renderHealth } from './status.js';

const now = Date.parse('2026-01-01T00:01:00Z');
const condition = (type: string, status: 'True' | 'False', message = '') => ({
  type,
  status,
  reason: status === 'True' ? 'Fine' : 'Bad',
  message,
  lastTransitionTime: '2026-01-01T00:00:00Z',
});
const fine = (...types: string[]) => types.map((type) => condition(type, 'True'));

const good: Observed = {
  cores: [
    {
      ...core(),
      status: {
        conditions: fine('Ready', 'AgentConnected'),
        version: '0.1.0',
        books: [{ symbol: 'BTCUSDC', state: 'CERTIFIED', bestBid: '60000', ageMs: 12 }],
      },
    },
  ],
  accounts: [{ ...account(), status: { core: 'core', epoch: 3, ledgerEqualsVenue: true } }],
  strategies: [
    {
      ...strategy('maker'),
      status: {
        conditions: fine('Accepted', 'Ready'),
        summary: {
          state: 'Active',
          openOrders: 2,
          acceptedOrders: 9,
          fills: 4,
          rejects: 1,
          position: 'BTCUSDC 0.1',
        },
      },
    },
  ],
  instances: [],
  halts: [],
  leases: [
    {
      metadata: { name: 'flashpod-account-main' },
      spec: { holderIdentity: 'u', renewTime: '2026-01-01T00:00:57.000000Z' },
    },
  ],
};
const problemsWith = (change: Partial<Observed>) => healthOf({ ...good, ...change }, now).problems;

test('all is well when everything is ready, held, certified and equal', () => {
  const health = healthOf(good, now);
  expect(health.problems).toEqual([]);
  expect(health.healthy).toBe(true);
  const screen = renderHealth(health);
  expect(screen).toMatch(/^CORE +READY +VERSION/);
  for (const part of ['CERTIFIED', 'BTCUSDC 0.1', 'maker', 'LEASE AGE', 'healthy'])
    expect(screen).toContain(part);
});

test.each<[string, Partial<Observed>, string]>([
  ['no core', { cores: [] }, 'there is no ExecutionCore'],
  [
    'a core that is not ready',
    {
      cores: [
        {
          ...core(),
          status: { conditions: [condition('Ready', 'False', 'its pod crashes'), ...fine('AgentConnected')] },
        },
      ],
    },
    'core core: Ready is False: its pod crashes',
  ],
  [
    'a core that is refused',
    {
      cores: [
        {
          ...core(),
          status: {
            conditions: [condition('Accepted', 'False', 'no Secret'), ...fine('Ready', 'AgentConnected')],
          },
        },
      ],
    },
    'core core: Accepted is False: no Secret',
  ],
  [
    'an account that is refused',
    {
      accounts: [
        { ...account(), status: { core: 'core', conditions: [condition('Accepted', 'False', 'same keys')] } },
      ],
    },
    'account main: Accepted is False: same keys',
  ],
  ['a core that says nothing', { cores: [core()] }, 'core core: AgentConnected is not known yet'],
  [
    'a book that is not certified',
    {
      cores: [
        {
          ...core(),
          status: {
            conditions: fine('Ready', 'AgentConnected'),
            books: [{ symbol: 'BTCUSDC', state: 'SYNCING' }],
          },
        },
      ],
    },
    'core core: book BTCUSDC is SYNCING',
  ],
  [
    'a symbol that no core keeps a book of',
    { cores: [{ ...core(), status: { conditions: fine('Ready', 'AgentConnected'), books: [] } }] },
    'strategy maker: no core has told of a book of BTCUSDC yet',
  ],
  ['a lease that nobody has', { leases: [] }, 'account main: no core has its lease'],
  [
    'a lease that is not renewed',
    {
      leases: [
        {
          metadata: { name: 'flashpod-account-main' },
          spec: { holderIdentity: 'u', renewTime: '2026-01-01T00:00:30Z' },
        },
      ],
    },
    'account main: its lease was renewed 30 s ago, it should be every 5 s',
  ],
  [
    'a ledger that differs',
    { accounts: [{ ...account(), status: { ledgerEqualsVenue: false, auditDifference: 'USDC: 1 and 2' } }] },
    'account main: the ledger differs from the exchange: USDC: 1 and 2',
  ],
  [
    'a strategy that was refused',
    {
      strategies: [
        {
          ...strategy('maker'),
          status: { conditions: [condition('Accepted', 'False', 'spec.strategy: no')] },
        },
      ],
    },
    'strategy maker: Accepted is False: spec.strategy: no',
  ],
  [
    'a condition of a former generation',
    {
      strategies: [
        {
          ...strategy('maker'),
          metadata: { name: 'maker', generation: 2 },
          status: { conditions: [{ ...condition('Accepted', 'True'), observedGeneration: 1 }] },
        },
      ],
    },
    'strategy maker: Accepted is of generation 1, the object is at 2',
  ],
  [
    'a halt',
    {
      halts: [
        {
          apiVersion: 'trading.flashpod.dev/v1alpha1',
          kind: 'Halt',
          metadata: { name: 'h' },
          spec: { selector: { all: true }, action: 'Cancel', reason: 'lunch' },
        } satisfies Halt,
      ],
    },
    'halt h is in force: Cancel, lunch',
  ],
])('%s is a problem and is named', (_, change, problem) => {
  expect(problemsWith(change)).toContain(problem);
  expect(renderHealth(healthOf({ ...good, ...change }, now))).toContain(`NOT HEALTHY\n`);
});

test('a suspended strategy is no problem; the last refusals are shown', () => {
  const suspended = { ...strategy('maker', { suspended: true }), status: { conditions: fine('Accepted') } };
  expect(problemsWith({ strategies: [suspended] })).toEqual([]);
  const instance = {
    spec: { strategyRef: { name: 'maker' } },
    status: { lastReject: 'RISK_MAX_POSITION: 2 > 1' },
  };
  const health = healthOf({ ...good, instances: [instance as StrategyInstance] }, now);
  expect(renderHealth(health)).toContain('maker      RISK_MAX_POSITION: 2 > 1');
});

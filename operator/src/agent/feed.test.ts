import type { StrategyInstance } from '@flashpod/crds';
import { type CoreStatus, CoreStatusSchema, create } from '@flashpod/proto';
import { expect, test } from 'vitest';
import type { Clock } from '../kube/index.js';
import { ManualClock } from '../kube/testing/manual-clock.js';
import { account, core, strategy } from '../testing/desk.js';
import type { AgentWorld } from './desired.js';
import { Feed } from './feed.js';

const world: AgentWorld = {
  coreName: 'core',
  core: core(),
  instances: [],
  halts: [],
  strategy: () => undefined,
  accounts: [account()],
  namespaceEnds: false,
};

function feed(clock: Clock, of = world) {
  const sent: bigint[] = [];
  const send = (body: { case: string; value?: { generation?: bigint } }) =>
    sent.push(body.value?.generation ?? 0n) > 0;
  return { sent, feed: new Feed(() => of, send as never, clock) };
}
const owner = { ...strategy('s'), metadata: { name: 's', namespace: 'default', uid: 'u' } };
const instance = (name: string, account: string) =>
  ({
    metadata: { name, namespace: 'default', uid: name, generation: 1 },
    spec: {
      ...owner.spec,
      limits: owner.spec.risk,
      accountRef: { name: account },
      strategyRef: { name: 's', uid: 'u' },
      coreRef: { name: 'core' },
    },
  }) as unknown as StrategyInstance;
const report = (generation: bigint): CoreStatus => create(CoreStatusSchema, { generation });

test('generations grow from one agent to the next with the clock', () => {
  const [early, late] = [feed(new ManualClock(1_000)), feed(new ManualClock(2_000))];
  early.feed.update();
  late.feed.update();
  expect(late.sent[0]).toBeGreaterThan(early.sent[0] ?? 0n);
});

test('what a predecessor with a faster clock had in force does not pass for ours', () => {
  const { sent, feed: slow } = feed(new ManualClock(1_000));
  slow.update();
  slow.take(report(9_000_000n));
  expect(sent).toEqual([1_000_001n, 9_000_001n]);
  slow.take(report(9_000_001n));
  expect(sent).toHaveLength(2);
});

test('what did not change is not sent again', () => {
  const { sent, feed: same } = feed(new ManualClock());
  same.update();
  same.update();
  expect(sent).toHaveLength(1);
});

test('a core that goes on with something older is told again, in time', async () => {
  const clock = new ManualClock(1_000);
  const { sent, feed: patient } = feed(clock);
  patient.update();
  patient.take(report(0n));
  expect(sent).toHaveLength(1);
  await clock.advance(1_000);
  patient.take(report(0n));
  patient.take(report(0n));
  expect(sent).toEqual([1_000_001n, 1_000_001n]);
  await clock.advance(1_000);
  patient.take(report(1_000_001n));
  expect(sent).toHaveLength(2);
});

test('what one account has in force is confirmed while another is slow', () => {
  const instances = [instance('fast', 'a'), instance('slow', 'b')];
  const { sent, feed: both } = feed(new ManualClock(1_000), { ...world, instances });
  both.update();
  const of = (a: bigint, b: bigint) =>
    create(CoreStatusSchema, {
      generation: a < b ? a : b,
      accounts: [
        { account: 'a', generation: a },
        { account: 'b', generation: b },
      ],
    });
  both.take(of(sent[0] ?? 0n, 0n));
  expect([both.generationInForce('fast'), both.generationInForce('slow')]).toEqual([1, undefined]);
  both.take(of(sent[0] ?? 0n, sent[0] ?? 0n));
  expect(both.generationInForce('slow')).toBe(1);
});

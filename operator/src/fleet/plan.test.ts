import type { ExecutionCore, TradingAccount } from '@flashpod/crds';
import { expect, test } from 'vitest';
import { images } from '../api/defaults.js';
import { annotations, finalizers } from '../api/names.js';
import { findCondition, type Pod } from '../kube/index.js';
import { core as sample, account as sampleAccount } from '../testing/desk.js';
import { type CoreWorld, planCore } from './plan.js';
import { corePod } from './pod.js';

const now = new Date('2026-01-01T00:00:00Z');
const deletionTimestamp = '2026-01-01T00:00:00Z';
const core = (change: Partial<ExecutionCore['spec']> = {}, metadata = {}): ExecutionCore => {
  const object = sample();
  return {
    ...object,
    metadata: { ...object.metadata, finalizers: [finalizers.inUse], ...metadata },
    spec: { ...object.spec, ...change },
  };
};
/** As the account controller leaves it. */
const account = (name = 'main', status: TradingAccount['status'] = { credentialsSecret: 'keys' }) => {
  const object = sampleAccount();
  return { ...object, metadata: { ...object.metadata, name }, status };
};
const world = (change: Partial<CoreWorld> = {}): CoreWorld => ({
  now,
  core: core(),
  accounts: [account()],
  secrets: new Set(['keys']),
  instances: [],
  pod: undefined,
  images: images(),
  ...change,
});
const pod = (of = core(), change: Pod = {}): Pod => {
  const made = corePod(of, [account()], images('elsewhere', '0'));
  return { ...made, ...change, metadata: { ...made.metadata, uid: 'p', ...change.metadata } };
};
const instances = [{ metadata: { name: 'i' } }] as never;

test.each<[string, Partial<CoreWorld>, string[]]>([
  ['a core gets its hold and its pod', { core: core({}, { finalizers: [] }) }, ['hold', 'createPod']],
  ['a running pod is left alone, also with images of another version', { pod: pod() }, []],
  ['another poll mode means another pod', { core: core({ pollMode: 'Spin' }), pod: pod() }, ['deletePod']],
  [
    'another size of the journal means another pod',
    { core: core({ journal: { segmentMiB: 8, keepMiB: 64 } }), pod: pod() },
    ['deletePod'],
  ],
  ['another image means another pod', { core: core({ image: 'x/core:2' }), pod: pod() }, ['deletePod']],
  ['an evicted pod is replaced', { pod: pod(core(), { status: { phase: 'Failed' } }) }, ['deletePod']],
  ['a pod that goes is waited for', { pod: pod(core(), { metadata: { deletionTimestamp } }) }, []],
  ['without its account it gets no pod', { accounts: [] }, []],
  ['before its account was judged it gets no pod', { accounts: [account('main', {})] }, []],
  [
    'and its pod is left alone until then',
    { accounts: [account('main', {})], core: core({ pollMode: 'Spin' }), pod: pod() },
    [],
  ],
  [
    'another Secret that was accepted means another pod',
    { accounts: [account('main', { credentialsSecret: 'other' })], secrets: new Set(['other']), pod: pod() },
    ['deletePod'],
  ],
  ['without its keys it gets no pod', { secrets: new Set<string>() }, []],
  ['a core that instances need stays', { core: core({}, { deletionTimestamp }), pod: pod(), instances }, []],
  [
    'and gets its pod again, without which nothing could be proven',
    { core: core({}, { deletionTimestamp }), instances },
    ['createPod'],
  ],
  [
    'unless it is abandoned',
    { core: core({}, { deletionTimestamp, annotations: { [annotations.abandon]: 'core' } }), instances },
    ['release'],
  ],
  ['one that none needs stops first', { core: core({}, { deletionTimestamp }), pod: pod() }, ['deletePod']],
  ['and is then let go', { core: core({}, { deletionTimestamp }) }, ['release']],
])('%s', (_, change, actions) => {
  expect(planCore(world(change)).actions.map((action) => action.do)).toEqual(actions);
});

test('the core is told how to keep its journal', () => {
  const journal = { segmentMiB: 8, keepMiB: 64 };
  const [create] = planCore(world({ core: core({ journal }) })).actions;
  expect(create).toMatchObject({ do: 'createPod', config: { journal } });
});

test('what is missing is named', () => {
  const message = (change: Partial<CoreWorld>) =>
    findCondition(planCore(world(change)).status(undefined).conditions, 'Accepted')?.message;
  expect(message({ core: core({ accounts: ['mian'] }) })).toBe(
    'spec.accounts[0]: "mian" is not accepted; accepted: a TradingAccount of this namespace: main',
  );
  expect(message({ secrets: new Set() })).toContain('there is no Secret "keys"');
});

test('the status of the agent stays', () => {
  const agents = { version: '1', metricsAddress: 'a:1', books: [], pod: 'old', node: 'old' };
  const status = planCore(world({ pod: pod(core(), { spec: { containers: [], nodeName: 'n' } }) })).status(
    agents,
  );
  expect(status).toMatchObject({
    version: '1',
    metricsAddress: 'a:1',
    books: [],
    pod: 'core-core',
    node: 'n',
  });
});

test('of a core that ended, the condition says how and why', () => {
  const ended = { exitCode: 1, message: '{"level":"ERROR"}\nflashpod-core: journal x: No space left\n' };
  const container = { name: 'core', ready: false, restartCount: 1 };
  const ready = (state: object, lastState: object) => {
    const status = { phase: 'Running', containerStatuses: [{ ...container, state, lastState }] };
    const made = pod(core(), { status } as never);
    return findCondition(planCore(world({ pod: made })).status(undefined).conditions, 'Ready');
  };
  const said =
    'pod core-core is Running, not ready; the core ended with exit code 1: flashpod-core: journal x: No space left';
  expect(ready({ terminated: ended }, {})).toMatchObject({ status: 'False', message: said });
  expect(ready({ waiting: {} }, { terminated: ended })?.message).toBe(said);
  expect(ready({ running: {} }, {})?.message).toBe('pod core-core is Running');
});

test('the pod carries no key, only mounts of them', () => {
  const made = corePod(core(), [account()], images());
  expect(made.spec?.volumes).toContainEqual({
    name: 'credentials-main',
    secret: { secretName: 'keys', defaultMode: 0o400 },
  });
  expect(made.spec?.initContainers?.[0]).toMatchObject({ name: 'agent', restartPolicy: 'Always' });
});

test('an account without keys needs no Secret, and its core is told that it has none', () => {
  const { credentialsSecretRef: _, ...spec } = account().spec;
  const paper = { seed: 7, queue: 'Proportional' as const };
  const keyless = { ...account('main', {}), spec: { ...spec, paper } };
  const [created] = planCore(world({ accounts: [keyless], secrets: new Set() })).actions;
  if (created?.do !== 'createPod') throw new Error('no pod is made');
  const [told] = created.config.accounts;
  expect(told).toMatchObject({ name: 'main', paper });
  expect(told).not.toHaveProperty('credentials');
  expect(JSON.stringify(created.pod)).not.toContain('credentials-main');
});

test('an account whose keys another account has is left out, and the core says so', () => {
  const accounts = [account(), account('twin', {})];
  const both = core({ accounts: ['main', 'twin'] });
  const { actions, status } = planCore(world({ accounts, core: both }));
  expect(actions[0]).toMatchObject({ do: 'createPod', config: { accounts: [{ name: 'main' }] } });
  const condition = findCondition(status(undefined).conditions, 'Accepted');
  expect(condition).toMatchObject({ status: 'False', reason: 'SameExchangeAccount' });
  expect(condition?.message).toMatch(/^account twin is left out: .*account main has this Secret/);
  // Alone with it, there is nothing to run.
  expect(planCore(world({ accounts, core: core({ accounts: ['twin'] }) })).actions).toEqual([]);
});

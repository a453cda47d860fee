// Operator, agent and core joined, over the embedded API server and a unix socket.

import { createHash } from 'node:crypto';
import { type Halt, kinds, type TradingStrategy } from '@flashpod/crds';
import { HaltPolicy_Action, InstancePolicy_State } from '@flashpod/proto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { accountLeaseName, annotations, finalizers } from './api/names.js';
import {
  ExecutionCores,
  Halts,
  StrategyInstances,
  TradingAccounts,
  TradingStrategies,
} from './api/resources.js';
import type { MergePatch } from './kube/index.js';
import { Events, findCondition, Leases, Pods, Secrets, systemClock } from './kube/index.js';
import { Desk, namespace, strategy } from './testing/desk.js';

let desk: Desk;

beforeEach(async () => {
  desk = await Desk.start();
  await desk.core.start();
  desk.startOperator();
  await desk.startAgent('pod-1');
});
afterEach(() => desk.stop());

const condition = (object: TradingStrategy | undefined, type: string) =>
  findCondition(object?.status?.conditions, type);
const isTrue = (type: string) => (object: TradingStrategy | undefined) =>
  condition(object, type)?.status === 'True';
const patch = (name: string, spec: object) =>
  desk.client.of(TradingStrategies).mergePatch({ namespace, name }, { spec } as MergePatch<TradingStrategy>);

async function running(name: string, change: Partial<TradingStrategy['spec']> = {}): Promise<string> {
  await desk.create(strategy(name, change));
  const { status } = await desk.until(
    TradingStrategies,
    name,
    (object) => object?.status?.instance !== undefined,
  );
  const instance = status?.instance ?? '';
  await desk.until(StrategyInstances, instance, (object) => object?.status?.state === 'Active');
  await desk.until(Pods, instance, (object) => object !== undefined);
  return instance;
}

const told = (instance: string) =>
  desk.core.desired?.instances.find((policy) => policy.instance === instance);

async function eventually(holds: () => boolean, withinMs = 5_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`never came true: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('a strategy becomes an instance, a token, a pod and a policy of the core', async () => {
  const name = await running('maker');
  const instance = await desk.client.of(StrategyInstances).get({ namespace, name });
  const secret = await desk.client.of(Secrets).get({ namespace, name: instance.spec.tokenSecretRef.name });
  const token = Buffer.from(secret.data?.['token'] ?? '', 'base64').toString();
  expect(instance.spec.tokenSha256).toBe(createHash('sha256').update(token).digest('hex'));
  expect(JSON.stringify(instance)).not.toContain(token);

  const pod = await desk.client.of(Pods).get({ namespace, name });
  expect(pod.metadata.ownerReferences?.[0]).toMatchObject({
    kind: 'StrategyInstance',
    uid: instance.metadata.uid,
  });
  expect(told(name)).toMatchObject({
    account: 'main',
    strategy: 'imbalance-maker',
    state: InstancePolicy_State.RUN,
    tokenSha256: instance.spec.tokenSha256,
    limits: { maxOrderNotional: '100', maxOpenOrders: 4 },
  });

  const stored = await desk.until(TradingStrategies, 'maker', isTrue('Accepted'));
  expect(stored.metadata.finalizers).toEqual([finalizers.flat]);
  expect(stored.status).toMatchObject({
    instance: name,
    core: 'core',
    environment: 'Simulated',
    instancesMade: 1,
  });
});

test('the core gets its pod, its configuration and a hold', async () => {
  const pod = await desk.until(Pods, 'core-core', (object) => object !== undefined);
  expect(pod.spec?.containers[0]?.args?.slice(0, 3)).toEqual([
    'run',
    '--config',
    '/etc/flashpod/config/core.json',
  ]);
  const core = await desk.until(
    ExecutionCores,
    'core',
    // Each of its two writers in its own time.
    (object) => object?.status?.version === 'fake' && object.status.pod !== undefined,
  );
  expect(core.status).toMatchObject({ pod: 'core-core', metricsAddress: '127.0.0.1:1' });
  expect(findCondition(core.status?.conditions, 'AgentConnected')?.status).toBe('True');
  expect(findCondition(core.status?.conditions, 'Accepted')?.status).toBe('True');
});

test.each([
  [
    'an unknown strategy',
    { strategy: 'imbalance-makr' },
    /spec\.strategy: "imbalance-makr" is not accepted; accepted: imbalance-maker/,
  ],
  [
    'an unknown account',
    { accountRef: { name: 'mian' } },
    /spec\.accountRef\.name: "mian".*TradingAccount.*main/,
  ],
  [
    'an unknown symbol',
    { symbols: ['BTCUSDC', 'BTCUSDX'] },
    /spec\.symbols\[1\]: "BTCUSDX" is not accepted; accepted: BTCUSDC, ETHUSDC/,
  ],
  [
    'an unknown parameter',
    { parameters: { orderNotionl: '5' } },
    /spec\.parameters\.orderNotionl: "5" is not accepted; accepted: orderNotional/,
  ],
  [
    'a parameter of another type',
    { parameters: { orderNotional: 5 } },
    /spec\.parameters\.orderNotional: 5 is not accepted; accepted: a value of type string/,
  ],
])(
  '%s is refused with field, value and what is accepted, and nothing is made',
  async (_, change, message) => {
    await desk.until(TradingAccounts, 'main', (object) => (object?.status?.symbols ?? []).length > 0);
    await desk.create(strategy('wrong', change));
    const refused = await desk.until(
      TradingStrategies,
      'wrong',
      (object) => condition(object, 'Accepted')?.status === 'False',
      1_000,
    );
    expect(condition(refused, 'Accepted')?.message).toMatch(message);
    expect((await desk.client.of(StrategyInstances).list({ namespace })).items).toEqual([]);
    await desk.client.of(TradingStrategies).delete({ namespace, name: 'wrong' });
    await desk.until(TradingStrategies, 'wrong', (object) => object === undefined);
  },
);

test('a strategy waits, neither accepted nor refused, until the core has told what can be traded', async () => {
  await desk.stopAgent();
  await desk.client
    .of(TradingAccounts)
    .mergePatchStatus({ namespace, name: 'main' }, { status: { symbols: null } } as never);
  await desk.create(strategy('early'));
  await desk.until(
    TradingStrategies,
    'early',
    (object) => condition(object, 'Accepted')?.status === 'Unknown',
  );
  await desk.startAgent('pod-1');
  await desk.until(TradingStrategies, 'early', isTrue('Accepted'));
});

test('a tighter limit reaches the core without a new instance or pod', async () => {
  const name = await running('maker');
  const pod = await desk.client.of(Pods).get({ namespace, name });
  await patch('maker', { risk: { maxOrderNotional: '5' } });
  await eventually(() => told(name)?.limits?.maxOrderNotional === '5');
  const instance = await desk.until(
    StrategyInstances,
    name,
    (object) => object?.spec.limits.maxOrderNotional === '5',
  );
  await desk.until(
    StrategyInstances,
    name,
    (object) => object?.status?.observedGeneration === instance.metadata.generation,
  );
  expect((await desk.client.of(Pods).get({ namespace, name })).metadata.uid).toBe(pod.metadata.uid);
});

test('limits, halts, suspension and deletion reach the core with the operator dead', async () => {
  const name = await running('maker');
  const other = await running('other');
  await desk.stopOperator();
  await patch('maker', { risk: { maxOrderNotional: '7' } });
  await eventually(() => told(name)?.limits?.maxOrderNotional === '7');

  const halt: Halt = {
    apiVersion: `${kinds.Halt.group}/${kinds.Halt.version}`,
    kind: 'Halt',
    metadata: { name: 'stop', namespace },
    spec: { selector: { strategies: ['maker'] }, action: 'Cancel' },
  };
  await desk.client.of(Halts).create(halt);
  await eventually(() => desk.core.desired?.halts.length === 1);
  expect(desk.core.desired?.halts[0]).toMatchObject({
    action: HaltPolicy_Action.CANCEL,
    instances: [name],
    all: false,
  });
  const reached = await desk.until(
    Halts,
    'stop',
    (object) => object?.status?.reached?.[0]?.cancelsSentAt !== undefined,
  );
  expect(reached.status?.reached).toMatchObject([{ core: 'core', instances: 1, flat: true }]);

  await patch('maker', { suspended: true });
  await eventually(() => told(name)?.state === InstancePolicy_State.STOP);
  await desk.client.of(TradingStrategies).delete({ namespace, name: 'other' });
  await eventually(() => told(other)?.state === InstancePolicy_State.STOP);
});

test('a deleted strategy is gone only with the proof, and takes pod and token along', async () => {
  const name = await running('maker');
  await desk.client.of(TradingStrategies).delete({ namespace, name: 'maker' });
  await desk.until(
    StrategyInstances,
    name,
    (object) => object?.status?.proof?.waitingFor === '2 open orders',
  );
  expect(await desk.client.of(TradingStrategies).find({ namespace, name: 'maker' })).toBeDefined();
  expect(await desk.client.of(Pods).find({ namespace, name })).toBeDefined();

  desk.core.prove(name);
  await desk.until(TradingStrategies, 'maker', (object) => object === undefined);
  expect(await desk.client.of(StrategyInstances).find({ namespace, name })).toBeUndefined();
  expect(await desk.client.of(Pods).find({ namespace, name })).toBeUndefined();
  expect(await desk.client.of(Secrets).find({ namespace, name: `${name}-token` })).toBeUndefined();
  await eventually(() => desk.core.desired?.instances.length === 0);
});

test('orders that a policy of Orphan leaves behind are named in an event', async () => {
  const name = await running('maker', { deletionPolicy: 'Orphan' });
  await desk.client.of(TradingStrategies).delete({ namespace, name: 'maker' });
  await eventually(() => told(name)?.state === InstancePolicy_State.STOP);
  desk.core.prove(name, {
    proof: { noOpenOrders: false, flat: false, provenUnixNs: 1n, orphanedOrders: ['fp-1', 'fp-2'] },
  });
  await desk.until(TradingStrategies, 'maker', (object) => object === undefined);
  const { items } = await desk.client.of(Events).list({ namespace });
  expect(items.find(({ reason }) => reason === 'OrdersOrphaned')?.note).toBe(
    '2 orders stay at the exchange: fp-1, fp-2',
  );
});

test('the annotation that repeats the name lets go without proof', async () => {
  const name = await running('maker');
  await desk.client.of(TradingStrategies).delete({ namespace, name: 'maker' });
  await desk.until(StrategyInstances, name, (object) => object?.status?.proof !== undefined);
  const key = { namespace, name: 'maker' };
  await desk.client
    .of(TradingStrategies)
    .mergePatch(key, { metadata: { annotations: { [annotations.abandon]: 'maker' } } } as never);
  await desk.until(TradingStrategies, 'maker', (object) => object === undefined);
});

test('other parameters mean another instance, which starts only after the former has stopped', async () => {
  const first = await running('maker');
  await patch('maker', { parameters: { orderNotional: '9' } });
  await eventually(() => told(first)?.state === InstancePolicy_State.STOP);
  expect(
    (await desk.client.of(StrategyInstances).list({ namespace })).items.map(({ metadata }) => metadata.name),
  ).toEqual([first]);
  desk.core.prove(first);
  const { status } = await desk.until(
    TradingStrategies,
    'maker',
    (object) => object?.status?.instancesMade === 2,
  );
  expect(status?.instance).not.toBe(first);
  await eventually(() => told(status?.instance ?? '')?.parametersJson === '{"orderNotional":"9"}');
  expect(told(first)).toBeUndefined();
});

test('a refused change leaves the running instance as it was', async () => {
  const name = await running('maker');
  await patch('maker', { symbols: ['NOPE'], risk: { maxOrderNotional: '50', maxPositionNotional: '9000' } });
  const refused = await desk.until(
    TradingStrategies,
    'maker',
    (object) => condition(object, 'Accepted')?.status === 'False',
  );
  expect(condition(refused, 'Accepted')?.message).toContain(`instance ${name} keeps running`);
  // Of its limits the tighter act, the looser do not.
  await eventually(() => told(name)?.limits?.maxOrderNotional === '50');
  expect(told(name)).toMatchObject({
    state: InstancePolicy_State.RUN,
    symbols: ['BTCUSDC'],
    limits: { maxPositionNotional: '1000' },
  });
});

test('a suspended strategy stops with proof, and starts again as a new instance', async () => {
  const first = await running('maker');
  await patch('maker', { suspended: true });
  await eventually(() => told(first)?.state === InstancePolicy_State.STOP);
  desk.core.prove(first);
  await desk.until(StrategyInstances, first, (object) => object === undefined);
  await desk.until(TradingStrategies, 'maker', (object) => object?.status?.summary?.state === 'Suspended');
  await patch('maker', { suspended: false });
  await desk.until(TradingStrategies, 'maker', (object) => object?.status?.instancesMade === 2);
});

test('account and keys are held while an instance needs them', async () => {
  const name = await running('maker');
  await desk.until(
    TradingAccounts,
    'main',
    (object) => object?.metadata.finalizers?.includes(finalizers.inUse) === true,
  );
  await desk.until(
    Secrets,
    'keys',
    (object) => object?.metadata.finalizers?.includes(finalizers.inUse) === true,
  );
  await desk.client.of(Secrets).delete({ namespace, name: 'keys' });
  await desk.client.of(TradingAccounts).delete({ namespace, name: 'main' });
  await desk.client.of(TradingStrategies).delete({ namespace, name: 'maker' });
  await eventually(() => told(name)?.state === InstancePolicy_State.STOP);
  expect(await desk.client.of(Secrets).find({ namespace, name: 'keys' })).toBeDefined();
  desk.core.prove(name);
  await desk.until(TradingStrategies, 'maker', (object) => object === undefined);
  await desk.until(TradingAccounts, 'main', (object) => object === undefined);
  await desk.until(Secrets, 'keys', (object) => object === undefined);
});

test('the holder gets an epoch above all that were seen, and keeps it over restarts of agent and core', async () => {
  await desk.stopAgent();
  const before = await desk.client.of(TradingAccounts).get({ namespace, name: 'main' });
  desk.core.account = { ...desk.core.account, highestEpochSeen: 41n };
  await desk.startAgent('pod-1');
  await eventually(() => desk.core.renewals.some(({ epoch }) => epoch === 42n));
  expect(before.status?.epoch ?? 0).toBeLessThan(42);
  const { status } = await desk.until(TradingAccounts, 'main', (object) => object?.status?.epoch === 42);
  expect(status?.holder).toBe('pod-1');
  const lease = await desk.client.of(Leases).get({ namespace, name: accountLeaseName('main') });
  expect(lease.metadata.annotations?.[annotations.epoch]).toBe('42');
  expect(lease.spec?.holderIdentity).toBe('pod-1');

  desk.core.account = { ...desk.core.account, highestEpochSeen: 42n };
  await desk.core.stop();
  await desk.core.start();
  await eventually(() => desk.core.renewals.some(({ epoch }) => epoch === 42n));
  await desk.stopAgent();
  desk.core.renewals.length = 0;
  await desk.startAgent('pod-1');
  await eventually(() => desk.core.renewals.some(({ epoch }) => epoch === 42n));
  expect(desk.core.renewals.every(({ epoch }) => epoch === 42n)).toBe(true);
});

test('a core that said that nothing leaves it lets the next pod take over at once, with the next epoch', async () => {
  await eventually(() => desk.core.renewals.length > 0);
  const epoch = desk.core.renewals[0]?.epoch ?? 0n;
  desk.core.stopped = true;
  desk.core.report();
  await desk.until(TradingAccounts, 'main', (object) => object?.status?.holder === 'pod-1');
  const stopped = desk.stopAgentAfterCore();
  await desk.core.stop();
  await stopped;
  desk.core.stopped = false;
  await desk.core.start();
  await desk.startAgent('pod-2');
  await eventually(() => desk.core.renewals.some((renewal) => renewal.epoch === epoch + 1n));
});

test('a core that is about to stop keeps its account when its stream breaks: its threads may still send', async () => {
  await eventually(() => desk.core.renewals.length > 0);
  desk.core.stopping = true;
  desk.core.report();
  await desk.until(TradingAccounts, 'main', (object) => object?.status?.holder === 'pod-1');
  const stopped = desk.stopAgentAfterCore();
  await desk.core.stop();
  await stopped;
  const lease = await desk.client.of(Leases).get({ namespace, name: accountLeaseName('main') });
  expect(lease.spec?.holderIdentity).toBe('pod-1');
});

test('a core that stops is told what is being deleted with it, once', async () => {
  const name = await running('maker');
  desk.core.stopping = true;
  desk.core.report();
  await eventually(() => desk.core.stopsSeen.length > 0);
  expect(desk.core.stopsSeen[0]?.instances[0]).toMatchObject({
    instance: name,
    state: InstancePolicy_State.RUN,
  });
  desk.core.report();
  await desk.core.stop();
  desk.core.stopping = false;
  await desk.core.start();
  await desk.until(StrategyInstances, name, (object) => object?.status?.state === 'Active');
  expect(desk.core.stopsSeen).toHaveLength(1);
});

test('an agent that ends while its core lives does not give the account away', async () => {
  await eventually(() => desk.core.renewals.length > 0);
  await desk.stopAgent();
  const lease = await desk.client.of(Leases).get({ namespace, name: accountLeaseName('main') });
  expect(lease.spec?.holderIdentity).toBe('pod-1');
});

test('while its core is gone a strategy is not said to trade', async () => {
  const name = await running('maker');
  await desk.core.stop();
  const gone = await desk.until(StrategyInstances, name, (object) => object?.status?.state === 'Pending');
  expect(gone.status?.reasons?.[0]).toContain('disconnected');
  await desk.until(TradingStrategies, 'maker', (object) => condition(object, 'Ready')?.status === 'False');
  await desk.until(
    TradingAccounts,
    'main',
    (object) => findCondition(object?.status?.conditions, 'Ready')?.reason === 'Disconnected',
  );
  await desk.core.start();
  await desk.until(StrategyInstances, name, (object) => object?.status?.state === 'Active');
});

test('an agent that finds no core does not leave standing what a former one said', async () => {
  const name = await running('maker');
  // As by a power cut: neither core nor agent says anything any more.
  await desk.stopAgent();
  await desk.core.stop();
  const status = { state: 'Active', sidecarConnected: true, reasons: [] } as const;
  await desk.client.of(StrategyInstances).mergePatchStatus({ namespace, name }, { status } as never);
  const hasty = { ...systemClock, now: () => systemClock.now() * 50 };
  await desk.startAgent('pod-2', hasty);
  const silent = await desk.until(StrategyInstances, name, (object) => object?.status?.state === 'Pending');
  expect(silent.status?.reasons).toEqual(['the core has not been heard of yet']);
  await desk.until(
    TradingAccounts,
    'main',
    (object) =>
      findCondition(object?.status?.conditions, 'Ready')?.message === 'the core has not been heard of yet',
  );
});

test('a halt says what it selects, and when what it names appears', async () => {
  await running('maker');
  const says = (status: string) => (object: Halt | undefined) =>
    findCondition(object?.status?.conditions, 'Selects')?.status === status;
  const spec: Halt['spec'] = { selector: { strategies: ['late'] }, action: 'Block' };
  await desk.client
    .of(Halts)
    .create({ apiVersion: strategy('s').apiVersion, kind: 'Halt', metadata: { name: 'h', namespace }, spec });
  const nothing = await desk.until(Halts, 'h', says('False'));
  expect(findCondition(nothing.status?.conditions, 'Selects')?.message).toBe(
    'selects nothing now: no strategy late in namespace default; it will act on one that appears',
  );
  await running('late');
  const selects = await desk.until(Halts, 'h', says('True'));
  expect(findCondition(selects.status?.conditions, 'Selects')?.message).toBe('selects strategy late');
  // Both writers of the status keep what the other wrote.
  await desk.until(Halts, 'h', (halt) => halt?.status?.reached?.[0]?.instances === 1 && says('True')(halt));
});

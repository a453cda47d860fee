// Operator and agent while what they see lags behind what is stored: a watch that hangs must cost time, never a
// second instance, a lost proof or a strategy that vanishes under its orders.

import { InstancePolicy_State } from '@flashpod/proto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { finalizers } from './api/names.js';
import { ExecutionCores, StrategyInstances, TradingAccounts, TradingStrategies } from './api/resources.js';
import { ConfigMaps, findCondition, type MergePatch, Pods } from './kube/index.js';
import { account, Desk, namespace, strategy } from './testing/desk.js';

let desk: Desk;

beforeEach(async () => {
  desk = await Desk.start();
  await desk.core.start();
  desk.startOperator();
  await desk.startAgent('pod-1');
});
afterEach(() => desk.stop());

const patch = (name: string, spec: object) =>
  desk.client.of(TradingStrategies).mergePatch({ namespace, name }, { spec } as MergePatch<never>);
const told = (instance: string) =>
  desk.core.desired?.instances.find((policy) => policy.instance === instance);
const instances = async () => (await desk.client.of(StrategyInstances).list({ namespace })).items;

async function eventually(holds: () => boolean | Promise<boolean>, withinMs = 5_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`never came true: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Fails when it comes true within a time in which, if it could, it would. */
async function never(holds: () => boolean | undefined | Promise<boolean | undefined>): Promise<void> {
  await expect(eventually(async () => (await holds()) === true, 500)).rejects.toThrow('never came true');
}

async function running(name: string): Promise<string> {
  await desk.create(strategy(name));
  const { status } = await desk.until(
    TradingStrategies,
    name,
    (object) => object?.status?.instance !== undefined,
  );
  const instance = status?.instance ?? '';
  await desk.until(StrategyInstances, instance, (object) => object?.status?.state === 'Active');
  return instance;
}

test('a strategy whose instance the operator does not see yet is not let go', async () => {
  await running('other');
  await desk.operatorSees?.instances.stop();
  await desk.create(strategy('maker'));
  await eventually(async () => (await instances()).length === 2);
  await desk.client.of(TradingStrategies).delete({ namespace, name: 'maker' });
  await desk.until(
    TradingStrategies,
    'maker',
    (object) => findCondition(object?.status?.conditions, 'Ready')?.message === 'being deleted',
  );
  // The pass that wrote this condition goes on to release; the next ones do so too.
  await never(
    async () => (await desk.client.of(TradingStrategies).find({ namespace, name: 'maker' })) === undefined,
  );
});

test('a strategy whose suspension the operator does not see yet gets no other instance', async () => {
  const first = await running('maker');
  await desk.operatorSees?.strategies.stop();
  await patch('maker', { suspended: true });
  await eventually(() => told(first)?.state === InstancePolicy_State.STOP);
  await desk.client.of(StrategyInstances).delete({ namespace, name: first });
  desk.core.prove(first);
  await desk.until(StrategyInstances, first, (object) => object === undefined);
  await never(async () => (await instances()).length > 0);
});

test('an instance whose strategy the operator does not see yet is not stopped', async () => {
  const { spec } = await desk.client.of(StrategyInstances).get({ namespace, name: await running('maker') });
  await desk.operatorSees?.strategies.stop();
  const { metadata } = await desk.create(strategy('unseen'));
  const strategyRef = { name: 'unseen', uid: metadata.uid };
  await desk.client.of(StrategyInstances).create({
    apiVersion: 'trading.flashpod.dev/v1alpha1',
    kind: 'StrategyInstance',
    metadata: { name: 'unseen-1', namespace, finalizers: [finalizers.flat] },
    spec: { ...spec, strategyRef },
  });
  await never(async () => (await instances()).some((instance) => instance.metadata.deletionTimestamp));
});

test('an instance whose strategy the agent does not see yet is not stopped, but waits', async () => {
  await running('other');
  await desk.agentSees?.strategies.stop();
  await desk.create(strategy('maker'));
  await eventually(async () => (await instances()).length === 2);
  await never(() => desk.core.desired?.instances.some(({ state }) => state === InstancePolicy_State.STOP));
});

test('a strategy made anew waits for the instance of the former one, and says so', async () => {
  const name = await running('maker');
  const key = { namespace, name: 'maker' };
  await desk.client.of(TradingStrategies).mergePatch(key, { metadata: { finalizers: null } } as never);
  await desk.client.of(TradingStrategies).delete(key);
  await desk.create(strategy('maker'));
  await desk.until(
    TradingStrategies,
    'maker',
    (object) =>
      findCondition(object?.status?.conditions, 'Ready')?.message ===
      `instance ${name} of a former strategy of this name is stopping; it waits for 2 open orders`,
  );
  desk.core.prove(name);
  await desk.until(TradingStrategies, 'maker', (object) => object?.status?.instance !== undefined);
  expect((await instances()).map(({ metadata }) => metadata.name)).not.toContain(name);
});

test('an instance whose strategy is gone stops, though nobody but the agent is there', async () => {
  const name = await running('maker');
  await desk.stopOperator();
  const key = { namespace, name: 'maker' };
  await desk.client.of(TradingStrategies).mergePatch(key, { metadata: { finalizers: null } } as never);
  await desk.client.of(TradingStrategies).delete(key);
  await eventually(() => told(name)?.state === InstancePolicy_State.STOP);
});

test('what was proven to have stopped is not told to run again, however late the agent sees its own proof', async () => {
  const name = await running('maker');
  await desk.stopOperator();
  await desk.agentSees?.instances.stop();
  await patch('maker', { suspended: true });
  await eventually(() => told(name)?.state === InstancePolicy_State.STOP);
  desk.core.prove(name);
  await desk.until(StrategyInstances, name, (object) => object?.status?.proof?.provenAt !== undefined);
  await patch('maker', { suspended: false });
  await never(() => told(name)?.state === InstancePolicy_State.RUN);
});

test('the proof of a stop that was taken back is not taken for one of the next', async () => {
  const name = await running('maker');
  await desk.stopOperator();
  await patch('maker', { suspended: true });
  await eventually(() => told(name)?.state === InstancePolicy_State.STOP);
  const stopped = desk.core.desired;
  await patch('maker', { suspended: false });
  await eventually(() => told(name)?.state === InstancePolicy_State.RUN);
  // A report that was under way: of the state before it was told to run again.
  desk.core.prove(name);
  desk.core.report(stopped);
  await never(async () => {
    const { status } = await desk.client.of(StrategyInstances).get({ namespace, name });
    return status?.proof?.provenAt !== undefined;
  });
});

test('a core whose instance the operator does not see yet is not stopped', async () => {
  await desk.until(Pods, 'core-core', (object) => object !== undefined);
  await desk.until(ExecutionCores, 'core', (object) => object?.metadata.finalizers !== undefined);
  await desk.operatorSees?.instances.stop();
  await desk.create(strategy('maker'));
  await eventually(async () => (await instances()).length === 1);
  await desk.client.of(ExecutionCores).delete({ namespace, name: 'core' });
  await never(
    async () =>
      (await desk.client.of(Pods).find({ namespace, name: 'core-core' }))?.metadata.deletionTimestamp !==
      undefined,
  );
  expect(await desk.client.of(Pods).find({ namespace, name: 'core-core' })).toBeDefined();
  expect(await desk.client.of(ExecutionCores).find({ namespace, name: 'core' })).toBeDefined();
});

test('a core takes over the configuration that a former one of its name left', async () => {
  await desk.until(Pods, 'core-core', (object) => object !== undefined);
  await desk.stopOperator();
  await desk.client.of(Pods).delete({ namespace, name: 'core-core' }, { graceSeconds: 0 });
  // Garbage collection would take it away from under the new pod as soon as it comes to it.
  const { metadata: former } = await desk.client.of(TradingAccounts).get({ namespace, name: 'main' });
  const { apiVersion, kind } = account();
  const ownerReferences = [{ apiVersion, kind, name: 'main', uid: former.uid, controller: true }];
  const patch = { metadata: { ownerReferences }, data: { 'core.json': 'former' } };
  await desk.client.of(ConfigMaps).mergePatch({ namespace, name: 'core-core-config' }, patch as never);
  const { metadata } = await desk.client.of(ExecutionCores).get({ namespace, name: 'core' });
  desk.startOperator();
  const config = await desk.until(
    ConfigMaps,
    'core-core-config',
    (object) => object?.data?.['core.json'] !== 'former',
  );
  expect(config.metadata.ownerReferences?.map(({ uid }) => uid)).toEqual([metadata.uid]);
});

test('the account of an instance that the operator does not see yet stays', async () => {
  await desk.until(TradingAccounts, 'main', (object) => object?.status?.symbols !== undefined);
  await desk.operatorSees?.instances.stop();
  await desk.create(strategy('maker'));
  await eventually(async () => (await instances()).length === 1);
  await desk.client.of(TradingAccounts).delete({ namespace, name: 'main' });
  await never(
    async () => (await desk.client.of(TradingAccounts).find({ namespace, name: 'main' })) === undefined,
  );
});

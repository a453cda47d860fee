// Two TradingAccounts with the keys of one exchange account: one trades, the other says why it does not.

import type { TradingAccount } from '@flashpod/crds';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ExecutionCores, StrategyInstances, TradingAccounts, TradingStrategies } from './api/resources.js';
import { ConfigMaps, Events, findCondition, type MergePatch, Pods, Secrets } from './kube/index.js';
import { account, core, Desk, namespace, strategy } from './testing/desk.js';

let desk: Desk;

beforeEach(async () => {
  desk = await Desk.start();
  await desk.core.start();
  desk.startOperator();
});
afterEach(() => desk.stop());

const named = <T extends { metadata: object }>(object: T, name: string): T => ({
  ...object,
  metadata: { ...object.metadata, name },
});
const isAccepted = (status: string) => (object: { status?: TradingAccount['status'] } | undefined) =>
  findCondition(object?.status?.conditions, 'Accepted')?.status === status;
const problem = (what: { status?: TradingAccount['status'] }) =>
  findCondition(what.status?.conditions, 'Accepted')?.message;

test('the younger of two accounts with one Secret is refused, with all that refers to it', async () => {
  await desk.until(TradingAccounts, 'main', isAccepted('True'));
  await desk.client.of(TradingAccounts).create(named(account(), 'twin'));
  const twin = await desk.until(TradingAccounts, 'twin', isAccepted('False'));
  expect(problem(twin)).toMatch(/^spec\.credentialsSecretRef\.name: "keys" is not accepted, .*account main /);
  const { items } = await desk.client.of(Events).list({ namespace });
  expect(items.map(({ reason, regarding }) => `${regarding?.name} ${reason}`)).toContain('twin Refused');

  await desk.create(strategy('maker', { accountRef: { name: 'twin' } }));
  const refused = await desk.until(TradingStrategies, 'maker', isAccepted('False'));
  expect(problem(refused)).toMatch(/^spec\.accountRef\.name: "twin" .*the Secret of account main/);
  expect((await desk.client.of(StrategyInstances).list({ namespace })).items).toEqual([]);

  const second = core();
  second.spec.accounts = ['twin'];
  await desk.client.of(ExecutionCores).create(named(second, 'second'));
  await desk.until(ExecutionCores, 'second', isAccepted('False'));
  expect(await desk.client.of(Pods).find({ namespace, name: 'second-core' })).toBeUndefined();

  // With the first account gone, the keys are the other's.
  await desk.client.of(ExecutionCores).delete({ namespace, name: 'core' });
  await desk.client.of(TradingAccounts).delete({ namespace, name: 'main' });
  await desk.until(TradingAccounts, 'twin', isAccepted('True'));
  await desk.until(Pods, 'second-core', (pod) => pod !== undefined);
});

test('a core that lists both runs with the one that was first', async () => {
  await desk.until(Pods, 'core-core', (pod) => pod !== undefined);
  await desk.client.of(TradingAccounts).create(named(account(), 'twin'));
  const both = { spec: { accounts: ['main', 'twin'] } } as MergePatch<ReturnType<typeof core>>;
  await desk.client.of(ExecutionCores).mergePatch({ namespace, name: 'core' }, both);
  const said = await desk.until(ExecutionCores, 'core', isAccepted('False'));
  expect(problem(said)).toMatch(/^account twin is left out: /);
  const { data } = await desk.client.of(ConfigMaps).get({ namespace, name: 'core-core-config' });
  const config = JSON.parse(data?.['core.json'] ?? '') as { accounts: { name: string }[] };
  expect(config.accounts.map(({ name }) => name)).toEqual(['main']);
});

test('an account that comes to name the Secret of another goes on with its own', async () => {
  await desk.until(TradingAccounts, 'main', isAccepted('True'));
  await desk.client.of(Secrets).create({
    metadata: { name: 'others', namespace },
    data: { apiKey: 'Yw==', secretKey: 'ZA==' },
  });
  const other = account();
  other.spec.credentialsSecretRef = { name: 'others' };
  await desk.client.of(TradingAccounts).create(named(other, 'other'));
  await desk.until(TradingAccounts, 'other', isAccepted('True'));
  const { metadata } = await desk.until(Pods, 'core-core', (pod) => pod !== undefined);

  const patch = { spec: { credentialsSecretRef: { name: 'others' } } } as MergePatch<TradingAccount>;
  await desk.client.of(TradingAccounts).mergePatch({ namespace, name: 'main' }, patch);
  const main = await desk.until(TradingAccounts, 'main', isAccepted('False'));
  expect(problem(main)).toMatch(/account other has this Secret .*\(it goes on with "keys"\)$/);
  expect(main.status?.credentialsSecret).toBe('keys');
  expect(isAccepted('True')(await desk.client.of(TradingAccounts).get({ namespace, name: 'other' }))).toBe(
    true,
  );
  expect((await desk.client.of(Pods).get({ namespace, name: 'core-core' })).metadata.uid).toBe(metadata.uid);
});

test('an account that the exchange says is another one of ours gets no Lease and no strategy', async () => {
  await desk.client.of(Secrets).create({
    metadata: { name: 'copies', namespace },
    data: { apiKey: 'YQ==', secretKey: 'Yg==' },
  });
  const other = account();
  other.spec.credentialsSecretRef = { name: 'copies' };
  await desk.client.of(TradingAccounts).create(named(other, 'other'));
  await desk.until(TradingAccounts, 'other', isAccepted('True'));
  // As the agent of its core writes it, which has written for the account before.
  const written = { status: { venueUid: '17', epoch: 5 } } as MergePatch<TradingAccount>;
  await desk.client.of(TradingAccounts).mergePatchStatus({ namespace, name: 'other' }, written);

  desk.core.account = { ...desk.core.account, venueUid: '17' };
  await desk.startAgent('pod-1');
  const main = await desk.until(TradingAccounts, 'main', isAccepted('False'));
  expect(problem(main)).toContain('account other has the same uid 17 at the exchange');
  await desk.until(TradingAccounts, 'main', (object) => {
    const ready = findCondition(object?.status?.conditions, 'Ready');
    return ready?.reason === 'LeaseWaiting' && ready.message.includes('the same uid 17');
  });
  await desk.create(strategy('maker'));
  const refused = await desk.until(TradingStrategies, 'maker', isAccepted('False'));
  expect(problem(refused)).toMatch(/this one is the exchange account of account other/);
  expect(desk.core.renewals).toEqual([]);
});

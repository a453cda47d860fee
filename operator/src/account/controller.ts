// The account controller: accepts TradingAccounts, and holds them and their Secrets while instances exist.

import type { StrategyInstance, TradingAccount } from '@flashpod/crds';
import { setFinalizer } from '../api/finalizers.js';
import { finalizers, labels, stableJson } from '../api/names.js';
import { eventReasons, conditions as types } from '../api/reasons.js';
import { StrategyInstances, TradingAccounts } from '../api/resources.js';
import { updateStatus } from '../api/status.js';
import type { Context } from '../context.js';
import {
  Controller,
  findCondition,
  type MergePatch,
  type Secret,
  Secrets,
  type Stored,
  splitKey,
} from '../kube/index.js';
import { acceptAccount } from './accept.js';
import { planAccount } from './plan.js';
import { secretOf, twinFacts } from './twin.js';

export function accountController(context: Context): Controller {
  const { caches, metrics, log } = context;
  const controller = new Controller({
    name: 'account',
    metrics,
    reconcile: async (key) => {
      await reconcile(context, key);
      return undefined;
    },
    onError: (account, err, failures) => log.warn({ err, account, failures }, 'account is tried again'),
  }).watch(caches.accounts, () => []);
  // Balances change every second; what accounts are judged by, each by all of its namespace, hardly ever.
  caches.accounts.onChange((change) => {
    if (change.type === 'updated' && judgedBy(change.old) === judgedBy(change.object)) return;
    const { namespace, name } = change.object.metadata;
    controller.queue.add(`${namespace}/${name}`);
    for (const { metadata } of caches.accounts.store.list())
      if (metadata.namespace === namespace) controller.queue.add(`${namespace}/${metadata.name}`);
  });
  controller.watch(caches.instances, () => []);
  caches.instances.onChange(({ type, object: { metadata, spec } }) => {
    if (type !== 'updated') controller.queue.add(`${metadata.namespace}/${spec.accountRef.name}`);
  });
  return controller;
}

function judgedBy(account: TradingAccount): string {
  return stableJson([account.metadata.generation, account.metadata.deletionTimestamp, twinFacts(account)]);
}

async function reconcile(context: Context, key: string): Promise<void> {
  const { caches, client, events, mayWrite } = context;
  const { namespace = 'default', name } = splitKey(key);
  const account = caches.accounts.store.get(key);
  let instances: readonly StrategyInstance[] = caches.instances.store.list();
  // The cache may not show yet an instance that was just made: the server is asked before anything is let go.
  if (account === undefined || !planAccount(account, instances).inUse)
    instances = (await client.of(StrategyInstances).list({ namespace })).items;
  const inUse = (candidate: TradingAccount) => planAccount(candidate, instances).inUse;
  if (!mayWrite()) return;

  if (account !== undefined && account.metadata.deletionTimestamp === undefined)
    await judge(context, account, namespace);

  const secrets = client.of(Secrets);
  const own = account && secretOf(account);
  if (account !== undefined && own !== undefined && inUse(account)) {
    const key = { namespace, name: own };
    const secret = await secrets.find(key);
    // The label comes first: it is how a held Secret is found again.
    if (secret !== undefined && secret.metadata.labels?.[labels.account] !== name) {
      await secrets.mergePatch(key, {
        metadata: { labels: { [labels.account]: name } },
      } as MergePatch<Secret>);
    }
    if (secret !== undefined) await setFinalizer(secrets, key, finalizers.inUse, true);
  }
  // Secrets that this account held once, and that no account in use refers to any more.
  const needed = new Set(
    caches.accounts.store
      .list()
      .filter((other) => other.metadata.namespace === namespace && inUse(other))
      .map(secretOf),
  );
  const { items } = await secrets.list({ namespace, labelSelector: `${labels.account}=${name}` });
  for (const { metadata } of items) {
    if (!needed.has(metadata.name))
      await setFinalizer(secrets, { namespace, name: metadata.name }, finalizers.inUse, false);
  }
  if (account === undefined) return;

  const plan = planAccount(account, instances);
  const { uid } = account.metadata;
  // Also when the cache shows it like that: a former pass may have let go a moment before the instance came.
  const held = plan.inUse || plan.setFinalizer;
  if (held !== undefined)
    await setFinalizer(client.of(TradingAccounts), { namespace, name, uid }, finalizers.inUse, held);
  if (plan.heldBy !== undefined) {
    const event = {
      type: 'Warning',
      reason: eventReasons.deletionHeld,
      action: 'Delete',
      note: plan.heldBy,
    } as const;
    events.record({ regarding: account, ...event });
  }
}

async function judge(
  { caches, client, events }: Context,
  account: Stored<TradingAccount>,
  namespace: string,
): Promise<void> {
  let accounts: readonly TradingAccount[] = caches.accounts.store.list();
  // The cache may not show yet whom the Secret was given to a moment ago: the server is asked before it is given.
  if (account.status?.credentialsSecret !== account.spec.credentialsSecretRef?.name)
    accounts = (await client.of(TradingAccounts).list({ namespace })).items;
  const { problem, status } = acceptAccount(account, accounts, new Date());
  const before = findCondition(account.status?.conditions, types.accepted);
  await updateStatus(client.of(TradingAccounts), account, (current) => status(current.status));
  if (problem === undefined || problem === before?.message) return;
  const event = {
    type: 'Warning',
    reason: eventReasons.refused,
    action: 'Reconcile',
    note: problem,
  } as const;
  events.record({ regarding: account, ...event });
}

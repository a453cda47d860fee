// The account controller: holds TradingAccounts and their Secrets while instances exist.

import type { StrategyInstance, TradingAccount } from '@flashpod/crds';
import { setFinalizer } from '../api/finalizers.js';
import { finalizers, labels } from '../api/names.js';
import { eventReasons } from '../api/reasons.js';
import { StrategyInstances, TradingAccounts } from '../api/resources.js';
import type { Context } from '../context.js';
import { Controller, type MergePatch, type Secret, Secrets, splitKey } from '../kube/index.js';
import { planAccount } from './plan.js';

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
  // Status of accounts and instances changes every second and holds nothing; existence and spec do.
  caches.accounts.onChange((change) => {
    const { namespace, name, generation, deletionTimestamp } = change.object.metadata;
    const before = change.type === 'updated' ? change.old.metadata : undefined;
    if (before?.generation === generation && before?.deletionTimestamp === deletionTimestamp) return;
    controller.queue.add(`${namespace}/${name}`);
  });
  controller.watch(caches.instances, () => []);
  caches.instances.onChange(({ type, object: { metadata, spec } }) => {
    if (type !== 'updated') controller.queue.add(`${metadata.namespace}/${spec.accountRef.name}`);
  });
  return controller;
}

async function reconcile({ caches, client, events, mayWrite }: Context, key: string): Promise<void> {
  const { namespace = 'default', name } = splitKey(key);
  const account = caches.accounts.store.get(key);
  let instances: readonly StrategyInstance[] = caches.instances.store.list();
  // The cache may not show yet an instance that was just made: the server is asked before anything is let go.
  if (account === undefined || !planAccount(account, instances).inUse)
    instances = (await client.of(StrategyInstances).list({ namespace })).items;
  const inUse = (candidate: TradingAccount) => planAccount(candidate, instances).inUse;
  if (!mayWrite()) return;

  const secrets = client.of(Secrets);
  if (account !== undefined && inUse(account)) {
    const key = { namespace, name: account.spec.credentialsSecretRef.name };
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
      .map(({ spec }) => spec.credentialsSecretRef.name),
  );
  const { items } = await secrets.list({ namespace, labelSelector: `${labels.account}=${name}` });
  for (const { metadata } of items) {
    if (!needed.has(metadata.name))
      await setFinalizer(secrets, { namespace, name: metadata.name }, finalizers.inUse, false);
  }
  if (account === undefined) return;

  const plan = planAccount(account, instances);
  const { uid } = account.metadata;
  if (plan.setFinalizer !== undefined) {
    await setFinalizer(
      client.of(TradingAccounts),
      { namespace, name, uid },
      finalizers.inUse,
      plan.setFinalizer,
    );
  }
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

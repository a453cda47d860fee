// The core controller: ExecutionCore → ConfigMap and pod.

import type { ExecutionCore } from '@flashpod/crds';
import { secretOf } from '../account/twin.js';
import { setFinalizer } from '../api/finalizers.js';
import { annotations, coreConfigName, corePodName, finalizers, labels, managedBy } from '../api/names.js';
import { createPod, deletePod } from '../api/pods.js';
import { apiVersion, ExecutionCores, StrategyInstances } from '../api/resources.js';
import { StaleError } from '../api/stale.js';
import { updateStatus } from '../api/status.js';
import type { Context } from '../context.js';
import {
  ConfigMaps,
  Controller,
  isAlreadyExists,
  type ReconcileResult,
  Secrets,
  type Stored,
  splitKey,
} from '../kube/index.js';
import type { CoreConfig } from './config.js';
import { type CoreAction, planCore } from './plan.js';
import { configKey } from './pod.js';

/** While a Secret is missing nothing tells us when it comes: look again. */
const secretRetryMs = 1_000;

export function coreController(context: Context): Controller {
  const { caches, pods, metrics, log } = context;
  return new Controller({
    name: 'core',
    metrics,
    reconcile: (key) => reconcile(context, key),
    onError: (core, err, failures) => log.warn({ err, core, failures }, 'core is tried again'),
  })
    .watch(caches.cores)
    .watch(caches.accounts, ({ metadata }) =>
      caches.cores.store
        .list()
        .filter(
          (core) =>
            core.metadata.namespace === metadata.namespace && core.spec.accounts.includes(metadata.name),
        )
        .map((core) => `${metadata.namespace}/${core.metadata.name}`),
    )
    .watch(caches.instances, ({ metadata, spec }) => [`${metadata.namespace}/${spec.coreRef.name}`])
    .watch(pods, ({ metadata }) => {
      const core = metadata.labels?.[labels.component] === 'core' ? metadata.labels[labels.core] : undefined;
      return core === undefined ? [] : [`${metadata.namespace}/${core}`];
    });
}

async function reconcile(context: Context, key: string): Promise<ReconcileResult | undefined> {
  const { caches, client, pods, images, mayWrite, log, events } = context;
  const core = caches.cores.store.get(key);
  if (core === undefined) return undefined;
  const { namespace = 'default', name } = splitKey(key);
  const accounts = caches.accounts.store.list().filter(({ metadata }) => metadata.namespace === namespace);
  const pod = pods.store.get({ namespace, name: corePodName(name) });
  const secrets =
    pod === undefined ? await presentSecrets(context, core, namespace) : allSecrets(context, core, namespace);
  const instances = caches.instances.store
    .list()
    .filter(({ metadata, spec }) => metadata.namespace === namespace && spec.coreRef.name === name);

  const plan = planCore({ now: new Date(), core, accounts, secrets, instances, pod, images });
  if (!mayWrite()) return undefined;
  await updateStatus(client.of(ExecutionCores), core, ({ status }) => plan.status(status));
  for (const action of plan.actions) {
    if (!mayWrite()) return undefined;
    if (!(await act(context, core, namespace, action))) continue;
    log.info({ action: action.do, core: name, namespace }, 'done');
    if (action.say) {
      const { reason, message } = action.say;
      events.record({ regarding: core, type: 'Normal', reason, action: 'Reconcile', note: message });
    }
  }
  const missing = [...allSecrets(context, core, namespace)].some((name) => !secrets.has(name));
  return missing ? { requeueAfterMs: secretRetryMs } : undefined;
}

function allSecrets({ caches }: Context, { spec }: ExecutionCore, namespace: string): Set<string> {
  const accounts = spec.accounts.flatMap((name) => caches.accounts.store.get({ namespace, name }) ?? []);
  return new Set(accounts.flatMap((account) => secretOf(account) ?? []));
}

/** Looked up only before a pod is made: Secrets are not cached here, and their content is none of our business. */
async function presentSecrets(
  context: Context,
  core: ExecutionCore,
  namespace: string,
): Promise<Set<string>> {
  const found = new Set<string>();
  for (const name of allSecrets(context, core, namespace)) {
    if ((await context.client.of(Secrets).find({ namespace, name })) !== undefined) found.add(name);
  }
  return found;
}

async function act(
  { client }: Context,
  core: Stored<ExecutionCore>,
  namespace: string,
  action: CoreAction,
): Promise<boolean> {
  const { name, uid } = core.metadata;
  switch (action.do) {
    case 'hold':
    case 'release':
      if (action.do === 'release') await checkNotNeeded(client, core, namespace);
      return setFinalizer(
        client.of(ExecutionCores),
        { namespace, name, uid },
        finalizers.inUse,
        action.do === 'hold',
      );
    case 'createPod':
      await writeConfig(client, core, namespace, action.config);
      return createPod(client, action.pod);
    case 'deletePod':
      if (core.metadata.deletionTimestamp !== undefined) await checkNotNeeded(client, core, namespace);
      return deletePod(client, { namespace, name: action.name }, action.uid);
  }
}

/** The cache may not show yet an instance that was just made: the server is asked before its core is taken away. */
async function checkNotNeeded(
  client: Context['client'],
  { metadata }: Stored<ExecutionCore>,
  namespace: string,
): Promise<void> {
  if (metadata.annotations?.[annotations.abandon] === metadata.name) return;
  const fieldSelector = `spec.coreRef.name=${metadata.name}`;
  const [user] = (await client.of(StrategyInstances).list({ namespace, fieldSelector, limit: 1 })).items;
  if (user !== undefined)
    throw new StaleError(
      `core ${namespace}/${metadata.name} is needed by the instance ${user.metadata.name}`,
    );
}

async function writeConfig(
  client: Context['client'],
  { metadata }: Stored<ExecutionCore>,
  namespace: string,
  config: CoreConfig,
): Promise<void> {
  const name = coreConfigName(metadata.name);
  const data = { [configKey]: JSON.stringify(config, null, 2) };
  const owner = {
    apiVersion,
    kind: 'ExecutionCore',
    name: metadata.name,
    uid: metadata.uid,
    controller: true,
  };
  const ours = {
    labels: { [labels.managedBy]: managedBy, [labels.core]: metadata.name },
    ownerReferences: [owner],
  };
  try {
    await client.of(ConfigMaps).create({ metadata: { name, namespace, ...ours }, data });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    // Maybe of a former core of this name, with which garbage collection would take it from under the new pod.
    await client.of(ConfigMaps).mergePatch({ namespace, name }, { metadata: ours, data });
  }
}

// Carries out what was planned. Every step may be repeated: names are deterministic, and what is there already is
// left as it is.

import { createHash, randomBytes } from 'node:crypto';
import type { StrategyInstance, StrategyInstanceSpec, TradingStrategy } from '@flashpod/crds';
import { setFinalizer } from '../api/finalizers.js';
import { finalizers, labels, managedBy, tokenSecretName } from '../api/names.js';
import { createPod, deletePod } from '../api/pods.js';
import { apiVersion, StrategyInstances, TradingAccounts, TradingStrategies } from '../api/resources.js';
import { StaleError } from '../api/stale.js';
import type { Context } from '../context.js';
import {
  isAlreadyExists,
  type KubeClient,
  keyOf,
  type MergePatch,
  Secrets,
  type Stored,
} from '../kube/index.js';
import type { Action } from './world.js';

/** True when something was changed; false when it was like that already, which happens while a cache lags behind. */
export async function act(
  context: Context,
  namespace: string,
  strategy: Stored<TradingStrategy> | undefined,
  action: Action,
): Promise<boolean> {
  const { client } = context;
  switch (action.do) {
    case 'holdStrategy':
    case 'releaseStrategy': {
      if (strategy === undefined) return false;
      const { name, uid } = strategy.metadata;
      const held = action.do === 'holdStrategy';
      if (!held) await checkNoInstance(client, namespace, name);
      return setFinalizer(client.of(TradingStrategies), { namespace, name, uid }, finalizers.flat, held);
    }
    case 'createInstance':
      if (strategy === undefined) return false;
      await createInstance(context, namespace, strategy, action.name, action.spec);
      return true;
    case 'updateInstance': {
      const patch = { spec: action.change } as MergePatch<StrategyInstance>;
      await client.of(StrategyInstances).mergePatch({ namespace, name: action.name }, patch);
      return true;
    }
    case 'stopInstance': {
      const { name, uid } = action.instance.metadata;
      const { name: owner, uid: ownerUid } = action.instance.spec.strategyRef;
      const stored = await client.of(TradingStrategies).find({ namespace, name: owner });
      // A former spec, or no strategy at all, is no reason to flatten what the present one wants.
      if (stored?.metadata.uid === ownerUid) checkCurrent(stored, strategy);
      return client
        .of(StrategyInstances)
        .deleteIfExists({ namespace, name }, uid === undefined ? {} : { uid });
    }
    case 'releaseInstance': {
      const { name, uid } = action.instance.metadata;
      await client.of(Secrets).deleteIfExists({ namespace, name: action.instance.spec.tokenSecretRef.name });
      return setFinalizer(client.of(StrategyInstances), { namespace, name, uid }, finalizers.flat, false);
    }
    case 'createPod':
      return createPod(client, action.pod);
    case 'deletePod':
      return deletePod(client, { namespace, name: action.name }, action.uid);
  }
}

async function createInstance(
  { client }: Context,
  namespace: string,
  strategy: Stored<TradingStrategy>,
  name: string,
  spec: Omit<StrategyInstanceSpec, 'tokenSecretRef' | 'tokenSha256'>,
): Promise<void> {
  // Two instances must never run, and none of a spec that is not wanted any more.
  await checkNoInstance(client, namespace, strategy.metadata.name);
  const key = { namespace, name: strategy.metadata.name };
  const stored = await client.of(TradingStrategies).find(key);
  checkCurrent(stored, strategy);
  // A number that was used before would give the name, and with it the history, of a former instance.
  const made = stored?.status?.instancesMade ?? 0;
  if (made !== spec.number - 1 || !stored?.metadata.finalizers?.includes(finalizers.flat))
    throw new StaleError(`strategy ${keyOf(strategy)} is not held, or has had ${made} instances`);
  await holdAccount(client, namespace, spec.accountRef.name);
  const owner = {
    apiVersion,
    kind: 'TradingStrategy',
    name: strategy.metadata.name,
    uid: strategy.metadata.uid,
  };
  const common = {
    namespace,
    labels: { [labels.managedBy]: managedBy, [labels.strategy]: strategy.metadata.name },
    ownerReferences: [{ ...owner, controller: true, blockOwnerDeletion: true }],
  };
  const tokenSecretRef = { name: tokenSecretName(name) };
  const token = await sessionToken(client, { ...common, name: tokenSecretRef.name });
  const tokenSha256 = createHash('sha256').update(token).digest('hex');
  await client.of(StrategyInstances).create({
    apiVersion,
    kind: 'StrategyInstance',
    metadata: { ...common, name, finalizers: [finalizers.flat] },
    spec: { ...spec, tokenSecretRef, tokenSha256 },
  });
}

/** The cache may not show yet what was made a moment ago: the server is asked before what rests on there being none. */
async function checkNoInstance(client: KubeClient, namespace: string, strategy: string): Promise<void> {
  const fieldSelector = `spec.strategyRef.name=${strategy}`;
  const [found] = (await client.of(StrategyInstances).list({ namespace, fieldSelector, limit: 1 })).items;
  if (found === undefined) return;
  throw new StaleError(`strategy ${namespace}/${strategy} has the instance ${found.metadata.name}`);
}

/** Without its account, an instance could not prove that it stopped: held before there is one. */
async function holdAccount(client: KubeClient, namespace: string, name: string): Promise<void> {
  const accounts = client.of(TradingAccounts);
  await setFinalizer(accounts, { namespace, name }, finalizers.inUse, true);
  const account = await accounts.find({ namespace, name });
  if (!account?.metadata.finalizers?.includes(finalizers.inUse))
    throw new StaleError(`account ${namespace}/${name} is gone, or being deleted`);
}

/** Whether the strategy that was planned with is the one that is stored. */
function checkCurrent(
  stored: Stored<TradingStrategy> | undefined,
  planned: Stored<TradingStrategy> | undefined,
): void {
  const version = (of: Stored<TradingStrategy> | undefined) =>
    [of?.metadata.uid, of?.metadata.generation, of?.metadata.deletionTimestamp].join();
  if (version(stored) === version(planned)) return;
  const { name, namespace } = (stored ?? planned)?.metadata ?? {};
  throw new StaleError(`strategy ${namespace}/${name} was changed; the cache does not show it yet`);
}

/** The token of an instance: drawn once; a pass that was cut off after the Secret finds it again. */
async function sessionToken(
  client: KubeClient,
  metadata: { name: string; namespace: string; labels: Record<string, string> },
): Promise<string> {
  const drawn = randomBytes(32).toString('base64url');
  try {
    await client
      .of(Secrets)
      .create({ metadata, type: 'Opaque', data: { token: encode(drawn) }, immutable: true });
    return drawn;
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const secret = await client.of(Secrets).get(metadata);
    const token = Buffer.from(secret.data?.['token'] ?? '', 'base64').toString('utf8');
    // Not one of ours: an empty or short token would let anybody in.
    if (token.length < drawn.length)
      throw new Error(
        `Secret ${metadata.namespace}/${metadata.name} has no token of ${drawn.length} characters; delete it`,
      );
    return token;
  }
}

const encode = (text: string) => Buffer.from(text).toString('base64');

// From the caches to the planner's world. Where a cache says "there is none", the API server is asked: a refusal
// must not come from a watch that lags behind.

import type { ExecutionCore, StrategyInstance, TradingAccount, TradingStrategy } from '@flashpod/crds';
import { ExecutionCores, TradingAccounts } from '../api/resources.js';
import type { Context } from '../context.js';
import { ConfigMaps, type KubeObject, type Pod, type Store, type Stored } from '../kube/index.js';
import type { References } from './accept.js';
import { ownParameters } from './own-parameters.js';
import type { ParameterChecks } from './parameters.js';
import { type Policy, policyFor } from './policy.js';

const inNamespace = <T extends KubeObject>(store: Store<T>, namespace: string): Stored<T>[] =>
  store.list().filter(({ metadata }) => metadata.namespace === namespace);

export function podsOf(
  { pods }: Context,
  namespace: string,
  instances: readonly StrategyInstance[],
): Map<string, Pod> {
  const found = new Map<string, Pod>();
  for (const { metadata } of instances) {
    const pod = pods.store.get({ namespace, name: metadata.name });
    if (pod !== undefined) found.set(metadata.name, pod);
  }
  return found;
}

export function policiesOf(
  { caches }: Context,
  namespace: string,
  strategy: TradingStrategy | undefined,
  instances: readonly StrategyInstance[],
): Map<string, Policy> {
  const halts = inNamespace(caches.halts.store, namespace);
  const accounts = inNamespace(caches.accounts.store, namespace);
  return new Map(
    instances.map((instance) => [instance.metadata.name, policyFor(strategy, instance, accounts, halts)]),
  );
}

export async function referencesOf(
  { client, caches, schemas }: Context,
  namespace: string,
  { spec }: TradingStrategy,
  builtIn: ParameterChecks,
): Promise<References> {
  const { name } = spec.accountRef;
  let accounts: TradingAccount[] = inNamespace(caches.accounts.store, namespace);
  if (!accounts.some(({ metadata }) => metadata.name === name)) {
    const account = await client.of(TradingAccounts).find({ namespace, name });
    if (account !== undefined) accounts = [...accounts, account];
  }
  let cores: ExecutionCore[] = inNamespace(caches.cores.store, namespace);
  if (!cores.some((core) => core.spec.accounts.includes(name))) {
    cores = (await client.of(ExecutionCores).list({ namespace })).items;
  }
  if (spec.parametersSchemaRef === undefined) return { accounts, cores, parameters: builtIn };
  const key = { namespace, name: spec.parametersSchemaRef.name };
  const schema = schemas.store.get(key) ?? (await client.of(ConfigMaps).find(key));
  return { accounts, cores, parameters: ownParameters(spec, schema) };
}

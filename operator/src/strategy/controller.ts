// The strategy controller: observe → plan → act, one strategy at a time.

import type { ExecutionCore, TradingAccount, TradingStrategy } from '@flashpod/crds';
import { twinFacts } from '../account/twin.js';
import { mergePatchOf } from '../api/merge-patch.js';
import { labels, stableJson } from '../api/names.js';
import { TradingStrategies } from '../api/resources.js';
import { StaleError } from '../api/stale.js';
import type { Context } from '../context.js';
import {
  Controller,
  type KubeObject,
  type MergePatch,
  type ReconcileResult,
  type Stored,
  splitKey,
} from '../kube/index.js';
import { act } from './act.js';
import { catalog } from './catalog.generated.js';
import { podsOf, policiesOf, referencesOf } from './observe.js';
import { ParameterChecks } from './parameters.js';
import { plan } from './plan.js';
import { planStop } from './stop.js';
import type { Action, PlannedEvent } from './world.js';

export function strategyController(context: Context, parameters = new ParameterChecks(catalog)): Controller {
  const { caches, pods, schemas, metrics, log } = context;
  const controller = new Controller({
    name: 'strategy',
    workers: 4,
    metrics,
    reconcile: (key) => reconcile(context, parameters, key),
    onError: (key, error, failures) => {
      // A stale cache heals by itself within milliseconds; it is worth a line only when it does not.
      const level = error instanceof StaleError && failures < 8 ? 'debug' : 'warn';
      log[level]({ err: error, strategy: key, failures }, 'strategy is tried again');
    },
  });
  const key = (object: KubeObject, name: string) => `${object.metadata?.namespace}/${name}`;
  const strategies = (of: KubeObject, wanted: (strategy: TradingStrategy) => boolean): string[] =>
    caches.strategies.store
      .list()
      .filter((strategy) => strategy.metadata.namespace === of.metadata?.namespace && wanted(strategy))
      .map((strategy) => key(strategy, strategy.metadata.name));

  controller
    .watch(caches.strategies)
    .watch(caches.instances, (instance) => [key(instance, instance.spec.strategyRef.name)])
    .watch(pods, (pod) => {
      const strategy = pod.metadata.labels?.[labels.strategy];
      return strategy === undefined ? [] : [key(pod, strategy)];
    })
    .watch(caches.halts, (halt) => strategies(halt, () => true))
    .watch(caches.cores, () => [])
    .watch(caches.accounts, () => []);
  schemas.onChange(({ object }) => {
    const refers = ({ spec }: TradingStrategy) => spec.parametersSchemaRef?.name === object.metadata.name;
    for (const key of strategies(object, refers)) controller.queue.add(key);
  });
  // Books and balances change every second; only what strategies are judged by is worth judging them again.
  caches.cores.onChange((change) => {
    if (change.type === 'updated' && coreJudged(change.old) === coreJudged(change.object)) return;
    const accounts = new Set(
      [change.object, ...(change.type === 'updated' ? [change.old] : [])].flatMap(
        (core) => core.spec.accounts,
      ),
    );
    for (const key of strategies(change.object, ({ spec }) => accounts.has(spec.accountRef.name)))
      controller.queue.add(key);
  });
  caches.accounts.onChange((change) => {
    if (change.type === 'updated' && accountJudged(change.old) === accountJudged(change.object)) return;
    // Also those of other accounts: two accounts may turn out to be one at the exchange.
    for (const key of strategies(change.object, () => true)) controller.queue.add(key);
  });
  return controller;
}

function coreJudged({ spec, metadata }: ExecutionCore): string {
  return stableJson([spec.accounts, metadata.deletionTimestamp]);
}

function accountJudged(account: TradingAccount): string {
  const { spec, metadata, status } = account;
  return stableJson([spec, metadata.deletionTimestamp, status?.symbols, status?.core, twinFacts(account)]);
}

async function reconcile(
  context: Context,
  parameters: ParameterChecks,
  key: string,
): Promise<ReconcileResult | undefined> {
  const { namespace = 'default', name } = splitKey(key);
  const strategy = context.caches.strategies.store.get(key);
  const instances = context.caches.instancesOf(namespace, name);
  const policies = policiesOf(context, namespace, strategy, instances);
  const pods = podsOf(context, namespace, instances);
  const now = new Date();
  // Instances of a strategy that was removed by force, or of one that had the same name before, only stop.
  const [own, orphans] = [true, false].map((mine) =>
    instances.filter(({ spec }) => (spec.strategyRef.uid === strategy?.metadata.uid) === mine),
  ) as [typeof instances, typeof instances];
  for (const instance of orphans) {
    const stops = planStop({ now, pods, policies, strategy: undefined }, instance, 'its strategy is gone');
    await carryOut(context, namespace, undefined, instance, stops);
  }
  if (strategy === undefined) return undefined;

  const references = await referencesOf(context, namespace, strategy, parameters);
  const sidecarImage = context.images.sidecar;
  const { status, events, actions, againAfterMs } = plan({
    now,
    strategy,
    instances: own,
    former: orphans,
    pods,
    policies,
    references,
    sidecarImage,
  });
  await writeStatus(context, strategy, status);
  say(context, strategy, events);
  await carryOut(context, namespace, strategy, strategy, actions);
  return againAfterMs === undefined ? undefined : { requeueAfterMs: againAfterMs };
}

async function carryOut(
  context: Context,
  namespace: string,
  strategy: Stored<TradingStrategy> | undefined,
  regarding: KubeObject,
  actions: readonly Action[],
): Promise<void> {
  for (const action of actions) {
    if (!context.mayWrite()) throw new StaleError('this operator no longer leads');
    if (action.do === 'releaseInstance') {
      // Told before, and written: nobody could tell afterwards what was left behind.
      say(context, regarding, action.say ?? []);
      await context.events.flush();
    }
    if (!(await act(context, namespace, strategy, action))) continue;
    context.log.info({ action: action.do, object: regarding.metadata?.name, namespace }, 'done');
    if (action.do !== 'releaseInstance') say(context, regarding, action.say ?? []);
  }
}

async function writeStatus(
  { client, mayWrite }: Context,
  { metadata, status }: Stored<TradingStrategy>,
  wanted: NonNullable<TradingStrategy['status']>,
): Promise<void> {
  const patch = mergePatchOf(status, wanted);
  if (patch === undefined || !mayWrite()) return;
  // We are the only writer of this status, so no precondition: a patch from a stale copy is mended by the next pass.
  const { namespace = 'default', name } = metadata;
  const body = { status: patch } as MergePatch<TradingStrategy>;
  await client.of(TradingStrategies).mergePatchStatus({ namespace, name }, body);
}

function say({ events }: Context, regarding: KubeObject, planned: readonly PlannedEvent[]): void {
  for (const { type, reason, message } of planned) {
    events.record({ regarding, type, reason, action: 'Reconcile', note: message });
  }
}

// From what is to what to do. Pure: the same world gives the same plan, and a plan that was carried out half is
// completed by the next pass.

import type { StrategyInstance, StrategyInstanceSpec } from '@flashpod/crds';
import { annotations, finalizers, instanceName, stableJson } from '../api/names.js';
import { eventReasons } from '../api/reasons.js';
import { type Acceptance, accept } from './accept.js';
import { podHash, strategyPod } from './pod.js';
import { runsHashOf } from './runs.js';
import { planStatus } from './status.js';
import { planStop } from './stop.js';
import { type Action, newest, type Plan, type PlannedEvent, type World } from './world.js';

export function plan(world: World): Plan {
  const { strategy, instances } = world;
  const acceptance = accept(strategy, world.references);
  const deleting = strategy.metadata.deletionTimestamp !== undefined;

  // An instance that is not what should run stops first; only then its successor starts. Two never trade.
  const keep = deleting ? undefined : instanceToKeep(world, acceptance);
  const actions = instances
    .filter((instance) => instance !== keep)
    .flatMap((instance) => planStop(world, instance, whyStop(world, instance)));
  if (keep !== undefined) actions.push(...planRun(world, keep));
  else if (!deleting && instances.length === 0) actions.push(...planStart(world, acceptance));
  if (deleting && instances.length === 0 && held(world)) actions.push({ do: 'releaseStrategy' });

  return { ...planStatus(world, acceptance, keep), actions };
}

/**
 * The instance that goes on running. While a changed spec is refused, the former instance keeps running under the
 * tighter of both limits: a typo must not cost a position.
 */
function instanceToKeep(
  { strategy, instances, policies }: World,
  acceptance: Acceptance,
): StrategyInstance | undefined {
  // What the agent tells to stop is not kept, whatever the reason: both ask the same policy.
  const runnable = instances.filter(({ metadata }) => policies.get(metadata.name)?.state === 'Run');
  const hash = runsHashOf(strategy.spec);
  const wanted = runnable.find(({ spec }) => spec.runsHash === hash);
  if (wanted !== undefined) return wanted;
  return acceptance.accepted === 'True' ? undefined : newest(runnable);
}

function whyStop({ policies }: World, { metadata }: StrategyInstance): string {
  return policies.get(metadata.name)?.because || 'another instance takes its place';
}

const held = ({ strategy }: World) => (strategy.metadata.finalizers ?? []).includes(finalizers.flat);

function planStart(world: World, acceptance: Acceptance): Action[] {
  const { strategy } = world;
  if (acceptance.accepted !== 'True' || strategy.spec.suspended || world.former.length > 0) return [];
  const { spec, metadata, status } = strategy;
  const number = (status?.instancesMade ?? 0) + 1;
  const runsHash = runsHashOf(spec);
  const strategyRef = { name: metadata.name, uid: metadata.uid ?? '' };
  const name = instanceName(strategyRef, number, runsHash);
  const coreRef = { name: acceptance.core.metadata.name };
  const {
    strategy: runs,
    image,
    risk: limits,
    accountRef,
    symbols,
    capital,
    parameters,
    mode,
    deletionPolicy,
    onSidecarLoss,
  } = spec;
  const message = `made instance ${name} on core ${coreRef.name}`;
  return [
    // The hold comes first: from here on the strategy cannot vanish without a proof.
    ...(held(world) ? [] : [{ do: 'holdStrategy' } as const]),
    {
      do: 'createInstance',
      name,
      spec: {
        number,
        runsHash,
        strategyRef,
        coreRef,
        limits,
        strategy: runs,
        ...(image === undefined ? {} : { image }),
        symbols,
        accountRef,
        mode,
        parameters,
        capital,
        deletionPolicy,
        onSidecarLoss,
      },
      say: [{ type: 'Normal', reason: eventReasons.instanceCreated, message }],
    },
  ];
}

function planRun(world: World, instance: StrategyInstance): Action[] {
  const { name } = instance.metadata;
  const policy = world.policies.get(name);
  if (policy === undefined) return planPod(world, instance);
  const { limits, deletionPolicy, onSidecarLoss } = policy;
  const change = changed(instance.spec, { limits, deletionPolicy, onSidecarLoss });
  if (change === undefined) return planPod(world, instance);
  const message = `${Object.keys(change).join(', ')} of ${name} changed to ${stableJson(change)}`;
  const say = [{ type: 'Normal', reason: eventReasons.limitsChanged, message }] as const;
  return [{ do: 'updateInstance', name, change, say }, ...planPod(world, instance)];
}

function planPod(world: World, instance: StrategyInstance): Action[] {
  const { name } = instance.metadata;
  const pod = world.pods.get(name);
  const say = (reason: PlannedEvent['reason'], message: string) =>
    [{ type: 'Normal', reason, message }] as const;
  if (pod === undefined) {
    const made = say(eventReasons.podCreated, `made pod ${name}`);
    return [{ do: 'createPod', pod: strategyPod(instance, world.sidecarImage), say: made }];
  }
  const { uid = '', deletionTimestamp } = pod.metadata ?? {};
  // Evicted or ended by its node: a pod never comes back by itself from these phases.
  const ended = pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded';
  const other = pod.metadata?.annotations?.[annotations.podHash] !== podHash(instance);
  if (deletionTimestamp !== undefined || !(ended || other)) return [];
  const why = ended ? `it is ${pod.status?.phase}` : 'it runs something else';
  return [
    { do: 'deletePod', name, uid, say: say(eventReasons.podReplaced, `replacing pod ${name}: ${why}`) },
  ];
}

function changed(
  current: StrategyInstanceSpec,
  wanted: Partial<StrategyInstanceSpec>,
): Partial<StrategyInstanceSpec> | undefined {
  const entries = Object.entries(wanted).filter(
    ([key, value]) => stableJson(value) !== stableJson(current[key as keyof StrategyInstanceSpec]),
  );
  const patched = entries.map(([key, value]) => [
    key,
    withRemoved(current[key as keyof StrategyInstanceSpec], value),
  ]);
  return entries.length === 0 ? undefined : Object.fromEntries(patched);
}

/** In a merge patch what is not named stays: what is set no more is named, as null. */
function withRemoved(current: unknown, wanted: unknown): unknown {
  if (typeof current !== 'object' || current === null || Array.isArray(current)) return wanted;
  if (typeof wanted !== 'object' || wanted === null) return wanted;
  const removed = Object.keys(current).filter((key) => !(key in wanted));
  return { ...wanted, ...Object.fromEntries(removed.map((key) => [key, null])) };
}

// Status and conditions of a TradingStrategy.

import type { StrategyInstance, TradingStrategyStatus } from '@flashpod/crds';
import { annotations } from '../api/names.js';
import { eventReasons, reasons, conditions as types } from '../api/reasons.js';
import { type ConditionChange, findCondition, setCondition } from '../kube/conditions.js';
import type { Acceptance } from './accept.js';
import { cut, lossEvent, readyVerdict, type Verdict } from './ready.js';
import { stopWait } from './stop.js';
import { isFlat, summarise } from './summary.js';
import { newest, type Plan, type PlannedEvent, type World } from './world.js';

type PlannedStatus = Pick<Plan, 'status' | 'events' | 'againAfterMs'>;

export function planStatus(
  world: World,
  acceptance: Acceptance,
  keep: StrategyInstance | undefined,
): PlannedStatus {
  const { strategy, instances, policies, now } = world;
  const { metadata, status: before } = strategy;
  const shown = keep ?? newest(instances);
  const generation = metadata.generation ?? 0;
  const ready = readyVerdict(world, acceptance, keep);
  const verdicts: [string, Verdict][] = [
    [types.accepted, acceptedVerdict(acceptance, keep)],
    [types.ready, ready],
    [types.flat, flatVerdict(world, keep)],
  ];
  const conditions = verdicts.reduce<ReturnType<typeof setCondition>>(
    (list, [type, verdict]) =>
      setCondition(list, { type, ...verdict, observedGeneration: generation } satisfies ConditionChange, now),
    before?.conditions ?? [],
  );
  const account = world.references.accounts.find(
    (candidate) => candidate.metadata.name === strategy.spec.accountRef.name,
  );
  const made = Math.max(before?.instancesMade ?? 0, ...instances.map(({ spec }) => spec.number));
  const status: TradingStrategyStatus = {
    observedGeneration: generation,
    conditions: [...conditions],
    summary: summarise(strategy, shown, shown && policies.get(shown.metadata.name)),
    // Left out while there was none: a 0 out of an old copy must not undo the count.
    ...(made === 0 ? {} : { instancesMade: made }),
    ...(account === undefined ? {} : { environment: account.spec.environment }),
    ...(shown === undefined ? {} : { instance: shown.metadata.name, core: shown.spec.coreRef.name }),
  };
  const stopping = instances.find(({ metadata: { deletionTimestamp } }) => deletionTimestamp !== undefined);
  const wait = stopping === undefined ? undefined : stopWait(world, stopping);
  const events = [eventOf(world, acceptance, before), lossEvent(ready, before)];
  return {
    status,
    events: events.filter((event) => event !== undefined),
    ...(wait === undefined || wait.stuck ? {} : { againAfterMs: wait.leftMs }),
  };
}

function acceptedVerdict(acceptance: Acceptance, keep: StrategyInstance | undefined): Verdict {
  if (acceptance.accepted === 'True')
    return { status: 'True', reason: reasons.valid, message: 'everything it refers to is there' };
  const still =
    keep === undefined ? 'nothing trades' : `instance ${keep.metadata.name} keeps running as it was`;
  return {
    status: acceptance.accepted,
    reason: acceptance.reason,
    message: cut(`${acceptance.message} (${still})`),
  };
}

function flatVerdict(world: World, keep: StrategyInstance | undefined): Verdict {
  if (keep !== undefined) {
    return isFlat(keep)
      ? { status: 'True', reason: reasons.noPosition, message: 'no open order and no position' }
      : { status: 'False', reason: reasons.trading, message: 'orders are open or a position is held' };
  }
  const stopping = newest(world.instances);
  if (stopping === undefined)
    return { status: 'True', reason: reasons.noPosition, message: 'no instance exists' };
  const { metadata, status } = stopping;
  if (status?.proof?.provenAt !== undefined && status.proof.flat) {
    return { status: 'True', reason: reasons.proven, message: `proven at ${status.proof.provenAt}` };
  }
  const waiting = status?.proof?.waitingFor ?? 'the core to report';
  if (!stopWait(world, stopping).stuck) {
    return {
      status: 'False',
      reason: reasons.flattening,
      message: cut(`instance ${metadata.name} waits for ${waiting}`),
    };
  }
  const deleting = world.strategy.metadata.deletionTimestamp !== undefined;
  const [kind, name] = deleting ? ['ts', world.strategy.metadata.name] : ['si', metadata.name];
  const out = `to let go without proof: kubectl annotate ${kind} ${name} ${annotations.abandon}=${name}`;
  return {
    status: 'False',
    reason: reasons.flattenStuck,
    message: cut(`instance ${metadata.name} waits for ${waiting}; ${out}`),
  };
}

/** An event when Accepted changed, or when a stop got stuck: once per change, however often the plan is made. */
function eventOf(
  world: World,
  acceptance: Acceptance,
  before: TradingStrategyStatus | undefined,
): PlannedEvent | undefined {
  const { strategy, instances } = world;
  if (
    strategy.metadata.deletionTimestamp !== undefined ||
    instances.some((instance) => instance.metadata.deletionTimestamp)
  ) {
    const known = findCondition(before?.conditions, types.flat)?.reason === reasons.flattenStuck;
    const flat = flatVerdict(world, undefined);
    if (flat.reason !== reasons.flattenStuck || known) return undefined;
    return { type: 'Warning', reason: eventReasons.flattenStuck, message: flat.message };
  }
  const accepted = findCondition(before?.conditions, types.accepted);
  if (
    accepted?.status === acceptance.accepted &&
    accepted.observedGeneration === strategy.metadata.generation
  )
    return undefined;
  if (acceptance.accepted === 'True')
    return { type: 'Normal', reason: eventReasons.accepted, message: 'the spec is accepted' };
  if (acceptance.accepted === 'Unknown') return undefined;
  return { type: 'Warning', reason: eventReasons.refused, message: acceptance.message };
}

// Stopping an instance with proof: ask (delete the object, which its finalizer holds), wait for what the core
// proves, take the pod away, and only then let go.

import type { StrategyInstance, TradingStrategy } from '@flashpod/crds';
import { flattenStuckAfterMs } from '../api/defaults.js';
import { annotations } from '../api/names.js';
import { eventReasons } from '../api/reasons.js';
import type { Policy } from './policy.js';
import { stopIsProven } from './proof.js';
import type { Action, PlannedEvent, World } from './world.js';

/** How many orphaned orders one event names: its note takes 1 kB, and a client order id up to 32 characters. */
const orphansPerEvent = 25;

/** The part of the world that a stop looks at; instances outlive a strategy that was removed by force. */
export type StopWorld = Pick<World, 'now' | 'pods'> & {
  readonly strategy: TradingStrategy | undefined;
  readonly policies: ReadonlyMap<string, Policy>;
};

export function planStop(world: StopWorld, instance: StrategyInstance, because: string): Action[] {
  const { name, deletionTimestamp } = instance.metadata;
  if (deletionTimestamp === undefined) {
    const message = `stopping ${name}: ${because}`;
    return [
      {
        do: 'stopInstance',
        instance,
        say: [{ type: 'Normal', reason: eventReasons.instanceStopping, message }],
      },
    ];
  }
  const policy = world.policies.get(name)?.deletionPolicy ?? instance.spec.deletionPolicy;
  const proven = stopIsProven(policy, instance);
  if (!proven && !isAbandoned(world, instance)) return [];

  const pod = world.pods.get(name);
  if (pod !== undefined) {
    const { uid = '', deletionTimestamp: going } = pod.metadata ?? {};
    return going === undefined ? [{ do: 'deletePod', name, uid }] : [];
  }
  const say = proven ? provenEvents(instance, policy) : [abandonedEvent(instance)];
  return [{ do: 'releaseInstance', instance, say }];
}

/**
 * The documented way out: the annotation repeats the name, on the strategy that is being deleted or on the instance.
 * On a strategy that stays it lets go of nothing: left there, it would undo every later proof in silence.
 */
export function isAbandoned({ strategy }: Pick<StopWorld, 'strategy'>, instance: StrategyInstance): boolean {
  const on = ({ metadata: { name, annotations: notes } }: TradingStrategy | StrategyInstance) =>
    notes?.[annotations.abandon] === name;
  const deleting = strategy?.metadata.deletionTimestamp !== undefined;
  return (strategy !== undefined && deleting && on(strategy)) || on(instance);
}

/** For how long a stop has been waiting for its proof, and whether that is too long. */
export function stopWait(
  { now }: Pick<StopWorld, 'now'>,
  instance: StrategyInstance,
): { stuck: boolean; leftMs: number } {
  const since = Date.parse(instance.metadata.deletionTimestamp ?? now.toISOString());
  const leftMs = since + flattenStuckAfterMs - now.getTime();
  return { stuck: leftMs <= 0, leftMs };
}

function provenEvents({ metadata, status }: StrategyInstance, policy: string): PlannedEvent[] {
  const proof = status?.proof;
  const moved = (proof?.movedToUnassigned ?? []).map(({ asset, amount }) => `${amount} ${asset}`).join(', ');
  const stopped: PlannedEvent = {
    type: 'Normal',
    reason: eventReasons.instanceStopped,
    message:
      `${metadata.name} stopped by ${policy}, proven at ${proof?.provenAt}: ` +
      `${proof?.noOpenOrders ? 'no open order' : 'orders left open'}, ${proof?.flat ? 'flat' : 'not flat'}` +
      `${moved === '' ? '' : `; moved to unassigned: ${moved}`}`,
  };
  return [stopped, ...orphanEvents(proof?.orphanedOrders ?? [])];
}

/** Every order that is left behind is named: with the instance its proof goes too. */
function orphanEvents(orders: readonly string[]): PlannedEvent[] {
  const count = Math.ceil(orders.length / orphansPerEvent);
  return Array.from({ length: count }, (_, index) => {
    const named = orders.slice(index * orphansPerEvent, (index + 1) * orphansPerEvent).join(', ');
    const part = count === 1 ? '' : ` (${index + 1} of ${count})`;
    const message = `${orders.length} orders stay at the exchange${part}: ${named}`;
    return { type: 'Warning', reason: eventReasons.ordersOrphaned, message };
  });
}

function abandonedEvent({ metadata, status }: StrategyInstance): PlannedEvent {
  const positions = (status?.positions ?? [])
    .map(({ symbol, quantity, openOrders }) => `${symbol} ${quantity} and ${openOrders} open orders`)
    .join(', ');
  const message = `${metadata.name} was let go without proof by annotation; last known: ${positions || 'no position'}`;
  return { type: 'Warning', reason: eventReasons.abandoned, message };
}

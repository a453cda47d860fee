import type { Condition } from './types.js';

export type ConditionChange = Omit<Condition, 'lastTransitionTime'>;

/**
 * The list with `change` merged in by type. `lastTransitionTime` moves only when `status` does, and an equal list
 * is returned as it is, so that comparing by reference tells whether anything has to be written.
 */
export function setCondition(
  conditions: readonly Condition[] | undefined,
  change: ConditionChange,
  at: Date,
): readonly Condition[] {
  const list = conditions ?? [];
  const index = list.findIndex((condition) => condition.type === change.type);
  const before = list[index];
  if (before === undefined) return [...list, { ...change, lastTransitionTime: timestamp(at) }];
  if (
    before.status === change.status &&
    before.reason === change.reason &&
    before.message === change.message &&
    before.observedGeneration === change.observedGeneration
  ) {
    return list;
  }
  const lastTransitionTime = before.status === change.status ? before.lastTransitionTime : timestamp(at);
  return list.with(index, { ...change, lastTransitionTime });
}

export function findCondition(
  conditions: readonly Condition[] | undefined,
  type: string,
): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** True only for the status "True" of the generation asked for; an answer about an older spec is no answer. */
export function isConditionTrue(
  conditions: readonly Condition[] | undefined,
  type: string,
  generation?: number,
): boolean {
  const condition = findCondition(conditions, type);
  if (condition?.status !== 'True') return false;
  return generation === undefined || (condition.observedGeneration ?? generation) >= generation;
}

/** metav1.Time: whole seconds. */
export function timestamp(at: Date): string {
  return `${at.toISOString().slice(0, 19)}Z`;
}

/** metav1.MicroTime: the server demands six fractional digits; JavaScript has three. */
export function microTimestamp(at: Date): string {
  return `${at.toISOString().slice(0, 23)}000Z`;
}

// Condition Selects of a Halt. Pure.

import type { Halt, HaltStatus } from '@flashpod/crds';
import { reasons, conditions as types } from '../api/reasons.js';
import { setCondition } from '../kube/conditions.js';
import { type HaltWorld, selectionOf } from './selects.js';

/** The operator's part of the status put over what the agents wrote. */
export function haltStatus(
  halt: Halt,
  world: HaltWorld,
  before: HaltStatus | undefined,
  now: Date,
): HaltStatus {
  const { strategies, message } = selectionOf(halt, world);
  const conditions = setCondition(
    before?.conditions,
    {
      type: types.selects,
      status: strategies.length > 0 ? 'True' : 'False',
      reason: strategies.length > 0 ? reasons.selected : reasons.nothingSelected,
      message: message.slice(0, 4_000),
      observedGeneration: halt.metadata.generation ?? 0,
    },
    now,
  );
  return { ...before, conditions: [...conditions] };
}

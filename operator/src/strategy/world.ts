// What the planner sees, and what it may ask for.

import type {
  StrategyInstance,
  StrategyInstanceSpec,
  TradingStrategy,
  TradingStrategyStatus,
} from '@flashpod/crds';
import type { EventReason } from '../api/reasons.js';
import type { Pod } from '../kube/pod.js';
import type { References } from './accept.js';
import type { Policy } from './policy.js';

export interface World {
  readonly now: Date;
  readonly strategy: TradingStrategy;
  /** Instances of this very strategy object, whatever their state. */
  readonly instances: readonly StrategyInstance[];
  /** Instances of a former strategy of this name, which stop first. */
  readonly former: readonly StrategyInstance[];
  /** Pods of those instances, by instance name. */
  readonly pods: ReadonlyMap<string, Pod>;
  /** What `policyFor` says of each instance, by its name. */
  readonly policies: ReadonlyMap<string, Policy>;
  readonly references: References;
  readonly sidecarImage: string;
}

/** The spec of a new instance but for the token, which is drawn when it is made. */
export type NewInstance = Omit<StrategyInstanceSpec, 'tokenSecretRef' | 'tokenSha256'>;

export type Action = (
  | { readonly do: 'holdStrategy' }
  | { readonly do: 'releaseStrategy' }
  | { readonly do: 'createInstance'; readonly name: string; readonly spec: NewInstance }
  | { readonly do: 'updateInstance'; readonly name: string; readonly change: Partial<StrategyInstanceSpec> }
  | { readonly do: 'stopInstance'; readonly instance: StrategyInstance }
  | { readonly do: 'releaseInstance'; readonly instance: StrategyInstance }
  | { readonly do: 'createPod'; readonly pod: Pod }
  | { readonly do: 'deletePod'; readonly name: string; readonly uid: string }
) & {
  /** Events to record once it is done. */
  readonly say?: readonly PlannedEvent[];
};

export interface PlannedEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: EventReason;
  readonly message: string;
}

export interface Plan {
  /** Written first: what was observed is on record before anything is done about it. */
  readonly status: TradingStrategyStatus;
  /** Said once the status is written. */
  readonly events: readonly PlannedEvent[];
  /** In this order; the next pass sees what they did. */
  readonly actions: readonly Action[];
  /** Look again after this time even if nothing changes. */
  readonly againAfterMs?: number;
}

export const newest = (instances: readonly StrategyInstance[]): StrategyInstance | undefined =>
  [...instances].sort((a, b) => b.spec.number - a.spec.number)[0];

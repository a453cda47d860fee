// From what the API says to what the core is told. Pure: the whole desired state, every time.

import type {
  ExecutionCore,
  Halt,
  RiskLimits,
  StrategyInstance,
  TradingAccount,
  TradingStrategy,
} from '@flashpod/crds';
import {
  DeletionPolicy,
  type DesiredStateSchema,
  HaltPolicy_Action,
  InstancePolicy_State,
  LossAction,
  type MessageInitShape,
  Mode,
  SidecarLoss_Action,
} from '@flashpod/proto';
import { adoptionOf, covers, policyFor, riskResetOf } from '../strategy/policy.js';
import type { Left } from './left.js';

export interface AgentWorld {
  readonly coreName: string;
  readonly core: ExecutionCore | undefined;
  readonly instances: readonly StrategyInstance[];
  readonly halts: readonly Halt[];
  readonly strategy: (name: string) => TradingStrategy | undefined;
  /** Accounts of the namespace. */
  readonly accounts: readonly TradingAccount[];
  /** The namespace is being deleted, and with it everything in it, though not all of it may say so yet. */
  readonly namespaceEnds: boolean;
}

/** What the agent remembers and the API does not say, or not yet. By uid, as an instance may come again. */
export interface Memory {
  /** Instances that the core was told of; undefined before anything was told. */
  readonly told: ReadonlySet<string> | undefined;
  /** Instances whose stop the core has proven: they never run again, however late the status that says so. */
  readonly proven: ReadonlySet<string>;
  /** How the core before left things, until ours has read it. */
  readonly left?: Left;
}

/** The desired state but for its generation. */
export type Desired = Omit<MessageInitShape<typeof DesiredStateSchema>, 'generation' | '$typeName'>;

const modes = { Paper: Mode.PAPER, Shadow: Mode.SHADOW, Live: Mode.LIVE } as const;
const policies = {
  Flatten: DeletionPolicy.FLATTEN,
  CancelOnly: DeletionPolicy.CANCEL_ONLY,
  Orphan: DeletionPolicy.ORPHAN,
} as const;
const losses = {
  Cancel: SidecarLoss_Action.CANCEL,
  Flatten: SidecarLoss_Action.FLATTEN,
  Keep: SidecarLoss_Action.KEEP,
} as const;
const lossActions = { Halt: LossAction.HALT, ReduceOnly: LossAction.REDUCE_ONLY } as const;
const haltActions = {
  Block: HaltPolicy_Action.BLOCK,
  Cancel: HaltPolicy_Action.CANCEL,
  Flatten: HaltPolicy_Action.FLATTEN,
} as const;

export function instancesOn({ coreName, instances }: AgentWorld): StrategyInstance[] {
  return instances
    .filter(({ spec }) => spec.coreRef.name === coreName)
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

export function desiredState(world: AgentWorld, memory: Memory): Desired {
  const instances = instancesOn(world).filter((instance) => isKnown(world, memory, instance));
  return {
    accounts: accountNames(world, instances).map((name) => accountPolicy(world, memory, name, instances)),
    instances: instances.map((instance) => instancePolicy(world, memory, instance)),
    halts: [...world.halts]
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
      .map((halt) => haltPolicy(world, halt, instances)),
  };
}

/**
 * Each kind has a watch of its own, so an instance may be seen before its strategy. Then it waits: told to stop, it
 * would prove that at once and never run. If its strategy is gone for good, garbage collection marks it for deletion.
 */
function isKnown(
  { strategy }: AgentWorld,
  { told }: Memory,
  { metadata: { uid = '', deletionTimestamp }, spec: { strategyRef } }: StrategyInstance,
): boolean {
  const owned = strategy(strategyRef.name)?.metadata.uid === strategyRef.uid;
  return owned || deletionTimestamp !== undefined || told === undefined || told.has(uid);
}

/** What the core lists, and what instances still need should it list less by now. */
function accountNames({ core }: AgentWorld, instances: readonly StrategyInstance[]): string[] {
  const names = [...(core?.spec.accounts ?? []), ...instances.map(({ spec }) => spec.accountRef.name)];
  return [...new Set(names)].sort();
}

function accountPolicy(
  { accounts }: AgentWorld,
  { left }: Memory,
  name: string,
  instances: readonly StrategyInstance[],
) {
  const account = accounts.find(({ metadata }) => metadata.name === name);
  const limits = account?.spec.limits;
  const symbols = instances
    .filter(({ spec }) => spec.accountRef.name === name)
    .flatMap(({ spec }) => spec.symbols);
  return {
    account: name,
    maxExposure: limits?.maxExposure ?? '',
    maxConcentrationPct: limits?.maxConcentrationPct ?? 0,
    maxOpenOrders: limits?.maxOpenOrders ?? 0,
    maxLoss: limits?.maxLoss ?? '',
    maxDrawdown: limits?.maxDrawdown ?? '',
    onLoss: lossActions[limits?.onLossLimit ?? 'Halt'],
    riskReset: riskResetOf(account),
    adopt: adoptionOf(account),
    unassigned: (left?.unassigned.get(name) ?? []).map(({ asset, amount }) => ({ asset, amount })),
    symbols: [...new Set(symbols)].sort(),
  };
}

function instancePolicy(
  { strategy, accounts, halts, namespaceEnds }: AgentWorld,
  { proven, left }: Memory,
  instance: StrategyInstance,
) {
  const { metadata, spec } = instance;
  const policy = policyFor(strategy(spec.strategyRef.name), instance, accounts, halts);
  return {
    instance: metadata.name,
    uid: metadata.uid ?? '',
    account: spec.accountRef.name,
    strategy: spec.strategy,
    owner: spec.strategyRef.name,
    ownerUid: spec.strategyRef.uid,
    mode: modes[spec.mode],
    state:
      policy.state === 'Run' && !namespaceEnds && !proven.has(metadata.uid ?? '')
        ? InstancePolicy_State.RUN
        : InstancePolicy_State.STOP,
    deletionPolicy: policies[policy.deletionPolicy],
    symbols: [...spec.symbols],
    capital: spec.capital.map(({ asset, amount }) => ({ asset, amount })),
    limits: riskLimits(policy.limits),
    riskReset: policy.riskReset,
    tokenSha256: spec.tokenSha256,
    checkpoint: left?.checkpoints.get(metadata.uid ?? '') ?? '',
    parametersJson: JSON.stringify(spec.parameters),
    onSidecarLoss: { action: losses[policy.onSidecarLoss.action], afterMs: policy.onSidecarLoss.afterMs },
  };
}

function riskLimits({ onLossLimit, ...limits }: RiskLimits) {
  return { ...limits, onLoss: lossActions[onLossLimit ?? 'Halt'] };
}

function haltPolicy({ coreName }: AgentWorld, halt: Halt, instances: readonly StrategyInstance[]) {
  const { metadata, spec } = halt;
  return {
    name: metadata.name,
    uid: metadata.uid ?? '',
    action: haltActions[spec.action],
    reason: spec.reason ?? '',
    instances: instances
      .filter((instance) => covers(halt, instance))
      .map((instance) => instance.metadata.name),
    // Also what comes to this core later is covered, without waiting for us to resolve it.
    all: spec.selector.all === true || (spec.selector.cores ?? []).includes(coreName),
  };
}

// What an instance may do now. Pure, and shared: the operator plans with it, the agent enforces with it, so that
// tighter limits, halts, suspension and deletion act with the operator dead.

import type {
  DeletionPolicy,
  Halt,
  OnSidecarLoss,
  RiskLimits,
  StrategyInstance,
  TradingAccount,
  TradingStrategy,
} from '@flashpod/crds';
import { twinOf } from '../account/twin.js';
import { smaller } from '../api/decimal.js';
import { annotations } from '../api/names.js';
import { runsHashOf } from './runs.js';

export interface Policy {
  readonly state: 'Run' | 'Stop';
  /** Why it stops; empty while it runs. */
  readonly because: string;
  readonly deletionPolicy: DeletionPolicy;
  readonly onSidecarLoss: OnSidecarLoss;
  readonly limits: RiskLimits;
  /** The newest reset of its loss limits that was asked for; empty: none. */
  readonly riskReset: string;
  /** Halts that cover the instance, by name. */
  readonly halts: readonly Halt[];
}

/** `strategy` is undefined when there is none, and so may be the account: callers ask once their caches are complete. */
export function policyFor(
  strategy: TradingStrategy | undefined,
  instance: StrategyInstance,
  accounts: readonly TradingAccount[],
  halts: readonly Halt[],
): Policy {
  const owner = strategy?.metadata.uid === instance.spec.strategyRef.uid ? strategy : undefined;
  const because = reasonToStop(owner, instance, accounts);
  return {
    state: because === '' ? 'Run' : 'Stop',
    because,
    deletionPolicy: owner?.spec.deletionPolicy ?? instance.spec.deletionPolicy,
    onSidecarLoss: owner?.spec.onSidecarLoss ?? instance.spec.onSidecarLoss,
    limits: effectiveLimits(owner, instance),
    riskReset: riskResetOf(owner),
    halts: halts.filter((halt) => covers(halt, instance)),
  };
}

/** What the annotation on a strategy or an account says, as far as the core takes it. */
export function riskResetOf(object: TradingStrategy | TradingAccount | undefined): string {
  return asTaken(object?.metadata.annotations?.[annotations.resetRisk] ?? '');
}

/**
 * The acceptance of a difference that an account asks for and no core has carried out; empty: none. What one has carried
 * out is not asked of the next, which may have lost its journal and find another difference.
 */
export function adoptionOf(account: TradingAccount | undefined): string {
  const text = asTaken(account?.metadata.annotations?.[annotations.adopt] ?? '');
  return text === account?.status?.adoption?.request ? '' : text;
}

/** Cut to bytes, and not within a letter. */
function asTaken(text: string): string {
  return Buffer.from(text)
    .subarray(0, 64)
    .toString()
    .replace(/\uFFFD+$/, '');
}

function reasonToStop(
  owner: TradingStrategy | undefined,
  instance: StrategyInstance,
  accounts: readonly TradingAccount[],
): string {
  // What was proven to have stopped never runs again; the operator makes another instance.
  if (instance.status?.proof?.provenAt !== undefined) return 'its stop is proven';
  if (instance.metadata.deletionTimestamp !== undefined) return 'the instance is being deleted';
  if (owner === undefined) return `there is no strategy ${instance.spec.strategyRef.name} that owns it`;
  if (owner.metadata.deletionTimestamp !== undefined) return 'the strategy is being deleted';
  if (owner.spec.suspended) return 'the strategy is suspended';
  const { namespace } = instance.metadata;
  const account = accounts.find(
    ({ metadata }) => metadata.name === instance.spec.accountRef.name && metadata.namespace === namespace,
  );
  if (account === undefined) return '';
  if (notAllowed(instance, account))
    return `account ${account.metadata.name} is Production without allowLive`;
  const twin = twinOf(account, accounts);
  if (twin === undefined) return '';
  return `account ${account.metadata.name} is the same exchange account as ${twin.account.metadata.name}`;
}

function notAllowed(instance: StrategyInstance, { spec }: TradingAccount): boolean {
  return instance.spec.mode === 'Live' && spec.environment === 'Production' && !spec.allowLive;
}

/**
 * The strategy's limits act at once while it asks for what runs. Once it asks for something else, they belong to
 * the next instance: on this one only what is tighter acts.
 */
function effectiveLimits(owner: TradingStrategy | undefined, instance: StrategyInstance): RiskLimits {
  const current = instance.spec.limits;
  if (owner === undefined) return current;
  const wanted = owner.spec.risk;
  return runsHashOf(owner.spec) === instance.spec.runsHash ? wanted : tighter(wanted, current);
}

export function tighter(a: RiskLimits, b: RiskLimits): RiskLimits {
  // Left out, it is Halt.
  const both = a.onLossLimit === 'ReduceOnly' && b.onLossLimit === 'ReduceOnly';
  const limits: { [K in keyof RiskLimits]-?: RiskLimits[K] | undefined } = {
    maxOrderNotional: smaller(a.maxOrderNotional, b.maxOrderNotional),
    maxPositionNotional: smaller(a.maxPositionNotional, b.maxPositionNotional),
    maxOrderQuantity: stricter(a.maxOrderQuantity, b.maxOrderQuantity, smaller),
    maxOpenOrders: Math.min(a.maxOpenOrders, b.maxOpenOrders),
    maxInFlight: stricter(a.maxInFlight, b.maxInFlight, Math.min),
    maxOrderRate: Math.min(a.maxOrderRate, b.maxOrderRate),
    priceCollarBps: Math.min(a.priceCollarBps, b.priceCollarBps),
    maxDataAgeMs: Math.min(a.maxDataAgeMs, b.maxDataAgeMs),
    maxDailyLoss: stricter(a.maxDailyLoss, b.maxDailyLoss, smaller),
    maxDrawdown: stricter(a.maxDrawdown, b.maxDrawdown, smaller),
    onLossLimit: both ? 'ReduceOnly' : undefined,
  };
  const set = Object.entries(limits).filter(([, limit]) => limit !== undefined);
  return Object.fromEntries(set) as unknown as RiskLimits;
}

/** Any limit is stricter than none. */
function stricter<T>(a: T | undefined, b: T | undefined, of: (a: T, b: T) => T): T | undefined {
  return a === undefined || b === undefined ? (a ?? b) : of(a, b);
}

/** Whether a halt is in force for an instance. A halt acts as long as its object exists. */
export function covers({ spec: { selector } }: Halt, { spec }: StrategyInstance): boolean {
  return (
    selector.all === true ||
    (selector.strategies ?? []).includes(spec.strategyRef.name) ||
    (selector.accounts ?? []).includes(spec.accountRef.name) ||
    (selector.cores ?? []).includes(spec.coreRef.name)
  );
}

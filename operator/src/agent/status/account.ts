import type { TradingAccountStatus } from '@flashpod/crds';
import type { AccountStatus } from '@flashpod/proto';
import { type Reason, reasons, conditions as types } from '../../api/reasons.js';
import { setCondition } from '../../kube/conditions.js';
import type { Tenure } from '../account-lease.js';
import { amounts, byKey, decimal, defined, isAsset, isSymbol, losses, text, time } from './figures.js';

interface Verdict {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: Reason;
  readonly message: string;
}

export interface AccountFacts {
  readonly core: string;
  readonly tenure: Tenure;
  /** Why the core is out of touch; undefined while it reports. */
  readonly trouble: string | undefined;
  readonly generation: number;
  readonly now: Date;
}

/**
 * What the core says of an account, as its status; `seen` is undefined while it has said nothing. Holder and epoch are
 * written by the lease alone, what it is accepted with by the operator.
 */
export function accountStatus(
  seen: AccountStatus | undefined,
  before: TradingAccountStatus | undefined,
  { core, tenure, trouble, generation, now }: AccountFacts,
): TradingAccountStatus | undefined {
  // Another core's to describe, until this one holds it.
  if (tenure.state !== 'Held' && before?.core !== undefined && before.core !== core) return before;
  const verdicts: [string, Verdict][] = [
    [types.ready, readyVerdict(seen, tenure, trouble)],
    [types.held, heldVerdict(tenure)],
    ...(seen === undefined ? [] : ([[types.ledgerEqual, ledgerVerdict(seen)]] as [string, Verdict][])),
  ];
  const conditions = verdicts.reduce<ReturnType<typeof setCondition>>(
    (list, [type, { message, ...verdict }]) =>
      setCondition(
        list,
        { type, ...verdict, message: message.slice(0, 4_000), observedGeneration: generation },
        now,
      ),
    before?.conditions ?? [],
  );
  if (seen === undefined) return { ...before, conditions: [...conditions] };
  const audited = seen.auditedUnixNs !== 0n;
  return defined<TradingAccountStatus>({
    holder: before?.holder,
    epoch: before?.epoch,
    credentialsSecret: before?.credentialsSecret,
    core,
    observedGeneration: generation,
    venueUid: text(seen.venueUid, 64),
    incarnation: Number(seen.incarnation),
    // Published as soon as they are known: strategies wait for them. An empty list is a core that has just started.
    symbols:
      seen.symbols.length === 0
        ? before?.symbols
        : [...new Set(seen.symbols.filter(isSymbol))].slice(0, 4_096),
    balances: balances(seen),
    unassigned: amounts(
      seen.unassigned.filter(({ amount }) => !isNothing(amount)),
      256,
    ),
    ledgerEqualsVenue: audited ? seen.ledgerEqualsVenue : undefined,
    auditedAt: time(seen.auditedUnixNs),
    auditDifference: text(seen.auditDifference, 1_024),
    adoption: adoption(seen) ?? before?.adoption,
    losses: losses(seen.losses),
    conditions: [...conditions],
  });
}

function adoption({ adoption: seen }: AccountStatus): TradingAccountStatus['adoption'] {
  if (seen === undefined) return undefined;
  const taken = amounts(seen.amounts, 256);
  return defined({
    request: seen.request.slice(0, 64),
    at: time(seen.atUnixNs),
    amounts: taken.length === 0 ? undefined : taken,
  });
}

const isNothing = (amount: string) => /^-?0*(\.0*)?$/.test(amount);

function balances(seen: AccountStatus) {
  const held = seen.balances.flatMap(({ asset, free, locked }) =>
    !isAsset(asset) ||
    decimal(free) === undefined ||
    decimal(locked) === undefined ||
    (isNothing(free) && isNothing(locked))
      ? []
      : [{ asset, free, locked }],
  );
  return byKey(held, ({ asset }) => asset, 256);
}

function readyVerdict(seen: AccountStatus | undefined, tenure: Tenure, trouble: string | undefined): Verdict {
  if (trouble !== undefined) return { status: 'False', reason: reasons.disconnected, message: trouble };
  if (!seen?.ready) {
    return {
      status: 'False',
      reason: reasons.reconciling,
      message: seen?.reasons.join('; ') || 'the core is reconciling',
    };
  }
  if (tenure.state !== 'Held')
    return { status: 'False', reason: reasons.leaseWaiting, message: heldVerdict(tenure).message };
  const keyless = seen.reasons.find((reason) => reason.startsWith('CREDENTIALS'));
  const message = keyless ?? 'reconciled with the exchange';
  return { status: 'True', reason: reasons.reconciled, message };
}

function heldVerdict(tenure: Tenure): Verdict {
  switch (tenure.state) {
    case 'Held':
      return { status: 'True', reason: reasons.leaseHeld, message: `epoch ${tenure.epoch}` };
    case 'Other':
      return { status: 'False', reason: reasons.leaseLost, message: `held by ${tenure.holder}` };
    default:
      return { status: 'Unknown', reason: reasons.leaseWaiting, message: tenure.message };
  }
}

function ledgerVerdict(seen: AccountStatus): Verdict {
  if (seen.auditedUnixNs === 0n)
    return { status: 'Unknown', reason: reasons.notAudited, message: 'not audited yet' };
  if (seen.ledgerEqualsVenue)
    return { status: 'True', reason: reasons.audited, message: 'orders and balances agree' };
  return {
    status: 'False',
    reason: reasons.difference,
    message: seen.auditDifference || 'orders or balances differ',
  };
}

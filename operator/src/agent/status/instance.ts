import type { MarkOut, PositionStatus, StrategyInstanceStatus, SymbolFigures } from '@flashpod/crds';
import type { InstanceStatus, SymbolFigures as ProtoFigures, MarkOut as ProtoMarkOut } from '@flashpod/proto';
import {
  amounts,
  byKey,
  decimal,
  defined,
  deletionPolicy,
  losses,
  round,
  text,
  time,
  tradingState,
} from './figures.js';

type Proof = NonNullable<StrategyInstanceStatus['proof']>;

export interface InstanceFacts {
  /** Why the core is out of touch; undefined while it reports. */
  readonly trouble: string | undefined;
  /** metadata.generation of the instance whose policy is in force. */
  readonly generation: number | undefined;
  /** Whether its account is reconciled: until then the checkpoint of a core before ours stays. */
  readonly ready: boolean;
  readonly now: Date;
}

/** What the core says of an instance, as its status. */
export function instanceStatus(
  seen: InstanceStatus | undefined,
  before: StrategyInstanceStatus | undefined,
  { trouble, generation, ready, now }: InstanceFacts,
): StrategyInstanceStatus {
  const observedGeneration = generation ?? before?.observedGeneration;
  const proof = proofOf(seen, before?.proof);
  if (seen === undefined || trouble !== undefined) {
    // Former figures stay, as the last that is known; whether it trades is not known now.
    const reasons = [(trouble ?? 'the core has not taken it up yet').slice(0, 256)];
    return defined<StrategyInstanceStatus>({
      ...before,
      state: 'Pending',
      reasons,
      sidecarConnected: false,
      observedGeneration,
      // The last thing that a core says before it ends may be that everything has stopped.
      proof: proof?.provenAt === undefined ? before?.proof : proof,
    });
  }
  return defined<StrategyInstanceStatus>({
    observedGeneration,
    checkpointAt: now.toISOString(),
    checkpoint: ready ? checkpointOf(seen) : before?.checkpoint,
    state: tradingState(seen.state),
    reasons: seen.reasons.slice(0, 16).map((reason) => reason.slice(0, 256)),
    sidecarConnected: seen.sidecarConnected,
    acceptedOrders: Number(seen.acceptedOrders),
    fills: Number(seen.fills),
    venueRejects: Number(seen.venueRejects),
    riskRejects: Number(seen.riskRejects),
    supersededQuotes: Number(seen.supersededQuotes),
    conflatedBooks: Number(seen.conflatedBooks),
    lastReject: text(seen.lastReject, 512),
    capitalError: text(seen.capitalError, 512),
    positions: positions(seen),
    figures: byKey(seen.figures, ({ symbol }) => symbol, 20).map(figuresOf),
    losses: losses(seen.losses),
    balances: amounts(seen.balances, 64),
    tickToOrder:
      seen.tickToOrder === undefined
        ? undefined
        : {
            count: Number(seen.tickToOrder.count),
            p50Us: round(seen.tickToOrder.p50Us),
            p99Us: round(seen.tickToOrder.p99Us),
          },
    proof,
  });
}

function figuresOf(seen: ProtoFigures): SymbolFigures {
  const otherFees = amounts(seen.otherFees, 16);
  const markOuts = byKey(seen.markOuts, ({ afterMs }) => String(afterMs), 8).map(markOut);
  return defined<SymbolFigures>({
    symbol: seen.symbol,
    acceptedOrders: Number(seen.acceptedOrders),
    fills: Number(seen.fills),
    rejects: Number(seen.rejects),
    otherFees: otherFees.length === 0 ? undefined : otherFees,
    markOuts: markOuts.length === 0 ? undefined : markOuts,
  });
}

function markOut({ afterMs, fills, value, notional }: ProtoMarkOut): MarkOut {
  const share = (Number(value) / Number(notional)) * 10_000;
  return defined<MarkOut>({
    afterMs,
    fills: Number(fills),
    value: decimal(value) ?? '0',
    bps: Number.isFinite(share) ? round(share) : undefined,
  });
}

function positions(seen: InstanceStatus): PositionStatus[] {
  return byKey(seen.positions, ({ symbol }) => symbol, 20).map((position) =>
    defined<PositionStatus>({
      symbol: position.symbol,
      quantity: decimal(position.quantity) ?? '0',
      averageCost: decimal(position.averageCost),
      realisedPnl: decimal(position.realisedPnl),
      unrealisedPnl: decimal(position.unrealisedPnl),
      fees: decimal(position.fees),
      markPrice: decimal(position.markPrice),
      openOrders: position.openOrders,
    }),
  );
}

/** Longest checkpoint that the API takes; half of one is none. */
const maxCheckpoint = 262_144;

const checkpointOf = ({ checkpoint }: InstanceStatus): string | undefined =>
  checkpoint === '' || checkpoint.length > maxCheckpoint ? undefined : checkpoint;

/** What was proven stays proven; a core that has forgotten it says so at most by its silence. */
function proofOf(seen: InstanceStatus | undefined, before: Proof | undefined): Proof | undefined {
  const proof = seen?.proof;
  if (before?.provenAt !== undefined && !proof?.provenUnixNs) return before;
  if (proof === undefined) return undefined;
  const moved = amounts(proof.movedToUnassigned, 64);
  const orphans = proof.orphanedOrders.slice(0, 500).map((order) => order.slice(0, 64));
  return defined<Proof>({
    policy: deletionPolicy(proof.policy),
    noOpenOrders: proof.noOpenOrders,
    flat: proof.flat,
    provenAt: time(proof.provenUnixNs),
    waitingFor: text(proof.waitingFor, 512),
    movedToUnassigned: moved.length === 0 ? undefined : moved,
    orphanedOrders: orphans.length === 0 ? undefined : orphans,
  });
}

// Which epoch the holder of a Lease has. Pure; the reasons are invariants 1 and 2 of the architecture.

export interface EpochFacts {
  /** UID of our pod. */
  readonly identity: string;
  /** From TradingAccount.status, as stored now. */
  readonly statusHolder: string | undefined;
  readonly statusEpoch: number;
  /** Annotation of the Lease, 0 when there is none. */
  readonly leaseEpoch: number;
  /** From the core's journal and from client order ids at the venue. */
  readonly highestSeen: number;
}

/**
 * Holder and epoch are written to the account in one step, so that our name there means that the epoch there is
 * ours: a restart of core or agent in the same pod goes on with it. Anything else is a change of the holder.
 */
export function epochFor({ identity, statusHolder, statusEpoch, leaseEpoch, highestSeen }: EpochFacts): {
  epoch: number;
  isNew: boolean;
} {
  const highest = Math.max(statusEpoch, leaseEpoch, highestSeen);
  if (statusHolder === identity && statusEpoch === highest && statusEpoch > 0)
    return { epoch: statusEpoch, isNew: false };
  return { epoch: highest + 1, isNew: true };
}

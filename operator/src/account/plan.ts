// What an account and its credentials are needed for. Pure.

import type { StrategyInstance, TradingAccount } from '@flashpod/crds';
import { annotations, finalizers } from '../api/names.js';

export interface AccountPlan {
  /** Whether account and Secret must stay. */
  readonly inUse: boolean;
  /** Whether the account's own finalizer has to be added (true) or removed (false). */
  readonly setFinalizer?: boolean;
  /** Why a deletion that was asked for does not happen. */
  readonly heldBy?: string;
}

/** An instance needs its account until it is gone: only with the keys can its stop be proven. */
export function planAccount(account: TradingAccount, instances: readonly StrategyInstance[]): AccountPlan {
  const { name, namespace, deletionTimestamp, finalizers: held = [] } = account.metadata;
  const users = instances.filter(
    ({ metadata, spec }) => metadata.namespace === namespace && spec.accountRef.name === name,
  );
  const abandoned =
    deletionTimestamp !== undefined && account.metadata.annotations?.[annotations.abandon] === name;
  const inUse = users.length > 0 && !abandoned;
  const isHeld = held.includes(finalizers.inUse);
  const names = users.map(({ metadata }) => metadata.name).join(', ');
  return {
    inUse,
    ...(inUse !== isHeld && !(inUse && deletionTimestamp !== undefined) ? { setFinalizer: inUse } : {}),
    ...(inUse && deletionTimestamp !== undefined
      ? { heldBy: `deletion waits for the instances ${names}` }
      : {}),
  };
}

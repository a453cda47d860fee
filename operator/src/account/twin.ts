// Whether two TradingAccounts are one account at the exchange. Then each core would keep a ledger of its own of the
// same balances, and spend what the other has spent: one of them goes first, the other does not trade. Pure, and
// shared: the operator refuses with it, the agent takes no Lease with it.

import type { TradingAccount } from '@flashpod/crds';
import { stableJson } from '../api/names.js';

export interface Twin {
  /** The account that goes first. */
  readonly account: TradingAccount;
  readonly shares: 'Secret' | 'ExchangeAccount';
}

/**
 * The Secret that an account trades with: the one it was accepted with, until the operator accepts another. Undefined:
 * it has no keys.
 */
export function secretOf({ spec, status }: TradingAccount): string | undefined {
  return status?.credentialsSecret ?? spec.credentialsSecretRef?.name;
}

/** The account of the namespace that shares keys or exchange account with this one and goes first, if any. */
export function twinOf(
  account: TradingAccount,
  accounts: readonly TradingAccount[],
  secret = secretOf(account),
): Twin | undefined {
  const { name, namespace } = account.metadata;
  for (const other of accounts) {
    if (other.metadata.name === name || other.metadata.namespace !== namespace) continue;
    if (secret !== undefined && secretOf(other) === secret) {
      // Whoever was accepted with a Secret keeps it: another's edit must not end its trading.
      const accepted = (of: TradingAccount) => of.status?.credentialsSecret === secret;
      if (goesFirst(other, account, accepted)) return { account: other, shares: 'Secret' };
    } else if (isSameAtExchange(account, other) && goesFirst(other, account)) {
      return { account: other, shares: 'ExchangeAccount' };
    }
  }
  return undefined;
}

/** What of a status others are judged by; the rest of it changes every second. */
export function twinFacts({ status }: TradingAccount): string {
  const { credentialsSecret, venueUid, epoch = 0 } = status ?? {};
  return stableJson([credentialsSecret, venueUid, epoch > 0]);
}

/** The exchange tells the number of an account to whoever has keys of it. */
function isSameAtExchange(a: TradingAccount, b: TradingAccount): boolean {
  const uid = a.status?.venueUid;
  return (
    uid !== undefined &&
    uid === b.status?.venueUid &&
    a.spec.environment === b.spec.environment &&
    a.spec.endpoints?.rest === b.spec.endpoints?.rest
  );
}

function goesFirst(
  a: TradingAccount,
  b: TradingAccount,
  accepted: (of: TradingAccount) => boolean = () => true,
): boolean {
  if (accepted(a) !== accepted(b)) return accepted(a);
  // An epoch is there once a core was to write for it.
  const written = (of: TradingAccount) => (of.status?.epoch ?? 0) > 0;
  if (written(a) !== written(b)) return written(a);
  const age = ({ metadata }: TradingAccount) => `${metadata.creationTimestamp ?? ''} ${metadata.name}`;
  return age(a) < age(b);
}

/** Why an account that has a twin is refused. */
export function twinProblem(account: TradingAccount, { account: first, shares }: Twin): string {
  const secret = account.spec.credentialsSecretRef?.name;
  const what =
    shares === 'Secret'
      ? `account ${first.metadata.name} has this Secret`
      : `account ${first.metadata.name} has the same uid ${account.status?.venueUid} at the exchange`;
  return (
    `spec.credentialsSecretRef.name: "${secret}" is not accepted, since ${what} and one exchange account cannot ` +
    'have two ledgers; accepted: a Secret with keys of another exchange account'
  );
}

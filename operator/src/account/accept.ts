// Whether an account may be traded with, and with which Secret. Pure.

import type { TradingAccount, TradingAccountStatus } from '@flashpod/crds';
import { reasons, conditions as types } from '../api/reasons.js';
import { setCondition } from '../kube/conditions.js';
import { twinOf, twinProblem } from './twin.js';

export interface AccountVerdict {
  /** Why it is refused; undefined when it is accepted. */
  readonly problem: string | undefined;
  /** The operator's part of the status put over what the agent wrote. */
  readonly status: (before: TradingAccountStatus | undefined) => TradingAccountStatus;
}

const keyless = 'it has no keys: Paper and Shadow only';

/** Keys that another has are not taken; what only the exchange can tell shows once they are. */
function acceptedWith(
  secret: string | undefined,
  before: TradingAccountStatus | undefined,
): TradingAccountStatus {
  const { credentialsSecret: _, ...others } = before ?? {};
  return secret === undefined ? others : { ...others, credentialsSecret: secret };
}

export function acceptAccount(
  account: TradingAccount,
  accounts: readonly TradingAccount[],
  now: Date,
): AccountVerdict {
  const wanted = account.spec.credentialsSecretRef?.name;
  const twin = twinOf(account, accounts, wanted);
  const former = account.status?.credentialsSecret;
  const goesOn = former === undefined || former === wanted ? '' : ` (it goes on with "${former}")`;
  const problem = twin && twinProblem(account, twin) + goesOn;
  const observedGeneration = account.metadata.generation ?? 0;
  return {
    problem,
    status: (before) => ({
      ...acceptedWith(twin?.shares === 'Secret' ? before?.credentialsSecret : wanted, before),
      conditions: [
        ...setCondition(
          before?.conditions,
          {
            type: types.accepted,
            observedGeneration,
            ...(problem === undefined
              ? {
                  status: 'True',
                  reason: reasons.valid,
                  message: wanted === undefined ? keyless : 'its keys are its own',
                }
              : { status: 'False', reason: reasons.sameExchangeAccount, message: problem }),
          },
          now,
        ),
      ],
    }),
  };
}

// Whether a strategy's spec can be run: everything that needs other objects, which schema and CEL cannot see.

import type { ExecutionCore, TradingAccount, TradingStrategy } from '@flashpod/crds';
import { secretOf, type Twin, twinOf } from '../account/twin.js';
import { type Reason, reasons } from '../api/reasons.js';
import { ParameterChecks } from './parameters.js';
import { suggest } from './suggest.js';

export interface Problem {
  readonly reason: Reason;
  readonly field: string;
  readonly value: unknown;
  /** What would be accepted instead. */
  readonly accepted: string;
}

/** What a spec may refer to. */
export interface References {
  /** Accounts of the namespace. */
  readonly accounts: readonly TradingAccount[];
  readonly cores: readonly ExecutionCore[];
  /** Of the strategy that is judged: the built-in ones, or the one of its own image. */
  readonly parameters: ParameterChecks | Problem;
}

export type Acceptance =
  | { readonly accepted: 'True'; readonly account: TradingAccount; readonly core: ExecutionCore }
  | { readonly accepted: 'False'; readonly reason: Reason; readonly message: string }
  /** Not known yet: what it refers to has not told enough about itself. */
  | { readonly accepted: 'Unknown'; readonly reason: Reason; readonly message: string };

export function accept({ spec }: TradingStrategy, references: References): Acceptance {
  const account = references.accounts.find(({ metadata }) => metadata.name === spec.accountRef.name);
  const core = account === undefined ? undefined : coreFor(account, references.cores);
  const problems = [
    ...strategyProblems(spec, references.parameters),
    ...modeProblems(spec, account),
    ...referenceProblems(spec, account, core, references),
    ...symbolProblems(spec, account),
  ];
  const [first] = problems;
  if (first !== undefined)
    return { accepted: 'False', reason: first.reason, message: problems.map(tell).join('; ') };
  if (account === undefined || core === undefined)
    throw new Error('an absent account or core is a problem above');
  if ((account.status?.symbols ?? []).length === 0) {
    const message = `account ${account.metadata.name} has not published its pairs yet: core ${core.metadata.name} must connect first`;
    return { accepted: 'Unknown', reason: reasons.accountNotReady, message };
  }
  return { accepted: 'True', account, core };
}

/** The core that writes for an account: the holder of its Lease, else the first that lists it. */
export function coreFor(account: TradingAccount, cores: readonly ExecutionCore[]): ExecutionCore | undefined {
  const candidates = cores
    .filter(
      ({ spec, metadata }) =>
        spec.accounts.includes(account.metadata.name) && metadata.deletionTimestamp === undefined,
    )
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  return candidates.find(({ metadata }) => metadata.name === account.status?.core) ?? candidates[0];
}

type Spec = TradingStrategy['spec'];

function strategyProblems(spec: Spec, parameters: References['parameters']): Problem[] {
  if (!(parameters instanceof ParameterChecks)) return [parameters];
  if (parameters.has(spec.strategy)) return parameters.check(spec.strategy, spec.parameters);
  const accepted = suggest(spec.strategy, parameters.strategies);
  return [{ reason: reasons.strategyUnknown, field: 'spec.strategy', value: spec.strategy, accepted }];
}

function modeProblems(spec: Spec, account: TradingAccount | undefined): Problem[] {
  if (spec.mode !== 'Live' || account === undefined) return [];
  const problem = { reason: reasons.liveNotAllowed, field: 'spec.mode', value: spec.mode };
  if (secretOf(account) === undefined) {
    const accepted = `Paper or Shadow, since account ${account.metadata.name} has no credentialsSecretRef`;
    return [{ ...problem, accepted }];
  }
  if (account.spec.environment !== 'Production' || account.spec.allowLive) return [];
  const accepted = `Live on a Simulated account, or with allowLive: true on the Production account ${account.metadata.name}`;
  return [{ ...problem, accepted }];
}

function referenceProblems(
  spec: Spec,
  account: TradingAccount | undefined,
  core: ExecutionCore | undefined,
  { accounts, cores }: References,
): Problem[] {
  const { name } = spec.accountRef;
  const problem = { field: 'spec.accountRef.name', value: name };
  if (account === undefined) {
    const names = accounts.map(({ metadata }) => metadata.name);
    return [
      {
        ...problem,
        reason: reasons.accountNotFound,
        accepted: `a TradingAccount of this namespace: ${suggest(name, names)}`,
      },
    ];
  }
  if (account.metadata.deletionTimestamp !== undefined) {
    return [
      { ...problem, reason: reasons.accountNotFound, accepted: 'a TradingAccount that is not being deleted' },
    ];
  }
  const twin = twinOf(account, accounts);
  if (twin !== undefined) {
    return [{ ...problem, reason: reasons.sameExchangeAccount, accepted: acceptedInsteadOf(twin) }];
  }
  if (core === undefined) {
    const served = [...new Set(cores.flatMap(({ spec: { accounts: served } }) => served))];
    const accepted = `an account that an ExecutionCore lists: ${suggest(name, served)}`;
    return [{ ...problem, reason: reasons.coreNotFound, accepted }];
  }
  return [];
}

function acceptedInsteadOf({ account: { metadata }, shares }: Twin): string {
  const what = shares === 'Secret' ? 'this one names the Secret' : 'this one is the exchange account';
  return `an account of its own at the exchange; ${what} of account ${metadata.name}`;
}

function symbolProblems(spec: Spec, account: TradingAccount | undefined): Problem[] {
  const tradable = account?.status?.symbols ?? [];
  if (tradable.length === 0) return [];
  const known = new Set(tradable);
  return spec.symbols.flatMap((symbol, index) =>
    known.has(symbol)
      ? []
      : [
          {
            reason: reasons.symbolUnknown,
            field: `spec.symbols[${index}]`,
            value: symbol,
            accepted: suggest(symbol, tradable),
          },
        ],
  );
}

/** What is shown of a value or a field: a message that is cut must not lose what would be accepted. */
const shownCharacters = 200;

function shown(text: string): string {
  return text.length <= shownCharacters
    ? text
    : `${text.slice(0, shownCharacters)}… (${text.length} characters)`;
}

function tell({ field, value, accepted }: Problem): string {
  const text = value === undefined ? 'is missing' : `${shown(JSON.stringify(value))} is not accepted`;
  return `${shown(field)}: ${text}; accepted: ${accepted}`;
}

// What a halt selects now, and what it names that is not there. Pure; the command and the operator say the same.

import type { Halt, TradingStrategy } from '@flashpod/crds';

/** What there is in the halt's namespace. */
export interface HaltWorld {
  readonly namespace: string;
  readonly strategies: readonly TradingStrategy[];
  readonly accounts: readonly { readonly metadata: { readonly name: string } }[];
  readonly cores: readonly { readonly metadata: { readonly name: string } }[];
}

export interface Selection {
  /** Names of the TradingStrategies that it halts. */
  readonly strategies: readonly string[];
  /** What it names that does not exist, e.g. `strategy nosuch`. */
  readonly missing: readonly string[];
  readonly message: string;
}

export function selectionOf({ spec: { selector } }: Pick<Halt, 'spec'>, world: HaltWorld): Selection {
  const { strategies = [], accounts = [], cores = [], all = false } = selector;
  const selected = world.strategies
    .filter(
      ({ metadata, spec, status }) =>
        all ||
        strategies.includes(metadata.name) ||
        accounts.includes(spec.accountRef.name) ||
        cores.includes(status?.core ?? ''),
    )
    .map(({ metadata }) => metadata.name)
    .sort();
  const missing = [
    ...absent('strategy', strategies, world.strategies),
    ...absent('account', accounts, world.accounts),
    ...absent('core', cores, world.cores),
  ];
  return { strategies: selected, missing, message: inWords(selected, missing, world.namespace) };
}

function absent(
  kind: string,
  named: readonly string[],
  there: readonly { readonly metadata: { readonly name: string } }[],
): string[] {
  const names = new Set(there.map(({ metadata }) => metadata.name));
  return named.filter((name) => !names.has(name)).map((name) => `${kind} ${name}`);
}

function inWords(selected: readonly string[], missing: readonly string[], namespace: string): string {
  const none = missing.length === 0 ? '' : `no ${missing.join(', no ')} in namespace ${namespace}`;
  if (selected.length === 0)
    return `selects nothing now: ${none || `no strategy that it covers in namespace ${namespace}`}; it will act on one that appears`;
  const what = `selects ${selected.length === 1 ? 'strategy' : 'strategies'} ${selected.join(', ')}`;
  return none === '' ? what : `${what}; ${none}: it will act on one that appears`;
}

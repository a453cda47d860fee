// How the core before ours left things, by what the API kept of it: for a core that has no journal of them.

import type { AssetAmount, StrategyInstance, TradingAccount } from '@flashpod/crds';

export interface Left {
  /** By uid of the instance. */
  readonly checkpoints: ReadonlyMap<string, string>;
  /** What no instance owned, by name of the account. */
  readonly unassigned: ReadonlyMap<string, readonly AssetAmount[]>;
}

export const nothingLeft: Left = { checkpoints: new Map(), unassigned: new Map() };

export function leftBy(instances: readonly StrategyInstance[], accounts: readonly TradingAccount[]): Left {
  const checkpoints = instances.flatMap(({ metadata, status }): [string, string][] =>
    status?.checkpoint === undefined ? [] : [[metadata.uid ?? '', status.checkpoint]],
  );
  if (checkpoints.length === 0) return nothingLeft;
  const unassigned = accounts.map(({ metadata, status }): [string, readonly AssetAmount[]] => [
    metadata.name,
    status?.unassigned ?? [],
  ]);
  return { checkpoints: new Map(checkpoints), unassigned: new Map(unassigned) };
}

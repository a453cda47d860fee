import type { TradingStrategy } from '@flashpod/crds';
import { contentHash } from '../api/names.js';

/**
 * Hash of what runs: a change of it makes a new instance, a change of anything else (limits, deletion policy,
 * reaction to the loss of the sidecar) acts on the running one.
 */
export function runsHashOf({
  strategy,
  image,
  symbols,
  parameters,
  capital,
  mode,
  accountRef,
}: TradingStrategy['spec']): string {
  return contentHash({
    strategy,
    image,
    // Sets and maps of the API have no order.
    symbols: [...symbols].sort(),
    capital: [...capital].sort((a, b) => (a.asset < b.asset ? -1 : 1)),
    parameters,
    mode,
    account: accountRef.name,
  });
}

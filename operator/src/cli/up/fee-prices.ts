// What the assets are worth that fees were paid in, asked for at the end of a run.

import type { StrategyInstance } from '@flashpod/crds';
import { feePairs, type Prices } from './comparison.js';
import { fromScaled, toScaled } from './decimal.js';
import type { Venue } from './venue.js';

/** The prices, and those of pairs that no book of ours follows, as far as the exchange lists them. */
export async function withFeePrices(
  venue: Pick<Venue, 'get'>,
  instances: readonly StrategyInstance[],
  known: Prices,
): Promise<Prices> {
  const missing = feePairs(instances).filter((pair) => !known.has(pair));
  const asked = missing.map(async (pair): Promise<[string, string] | undefined> => {
    const path = `/api/v3/ticker/bookTicker?symbol=${encodeURIComponent(pair)}`;
    const top = await venue.get<{ bidPrice?: unknown; askPrice?: unknown }>(path).catch(() => undefined);
    const [bid, ask] = [priceOf(top?.bidPrice), priceOf(top?.askPrice)];
    return bid === undefined || ask === undefined ? undefined : [pair, fromScaled((bid + ask) / 2n)];
  });
  const found = (await Promise.all(asked)).filter((entry) => entry !== undefined);
  return new Map([...known, ...found]);
}

function priceOf(text: unknown): bigint | undefined {
  const isPrice = typeof text === 'string' && /^\d{1,18}(\.\d{1,18})?$/.test(text) && /[1-9]/.test(text);
  return isPrice ? toScaled(text) : undefined;
}

// Levels in the shapes that tests need.

import type { Levels } from '../check.js';

export type Pairs = readonly (readonly [price: number, quantity: number])[];

export function levelsOf(pairs: Pairs): Levels {
  return {
    prices: Float64Array.from(pairs, ([price]) => price),
    quantities: Float64Array.from(pairs, ([, quantity]) => quantity),
  };
}

export const none: Levels = levelsOf([]);

/** The other way, up to the first empty level. */
export function pairsOf({ prices, quantities }: Levels): [number, number][] {
  const pairs: [number, number][] = [];
  for (let i = 0; i < prices.length && !Number.isNaN(prices[i]); i++)
    pairs.push([prices[i] as number, quantities[i] as number]);
  return pairs;
}

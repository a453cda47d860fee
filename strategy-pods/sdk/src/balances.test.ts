import { expect, test } from 'vitest';
import { affordable } from './balances.js';
import type { AssetName, DecimalText, PriceText, QuantityText } from './brand.js';
import { sketchInstrument } from './testing/index.js';

const instrument = sketchInstrument();
const balances = (entries: Record<string, string>) =>
  new Map(Object.entries(entries)) as unknown as ReadonlyMap<AssetName, DecimalText>;
const [quantity, price] = ['0.001' as QuantityText, '60000' as PriceText];

test.each([
  ['Buy', { USDC: '60' }, true],
  ['Buy', { USDC: '59.9999999999999999' }, false],
  ['Sell', { BTC: '0.001', USDC: '0' }, true],
  ['Sell', { BTC: '0.0009' }, false],
  ['Sell', {}, true],
] as const)('a %s with %j: %s', (side, held, covered) => {
  expect(affordable(balances(held), instrument, side, quantity, price)).toBe(covered);
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseFixed } from './decimal.js';
import { bpsToTicks, isSellable, quantityForNotional, roundPrice, roundQuantity } from './instrument.js';
import { sketchInstrument } from './testing/index.js';

const btc = sketchInstrument({ tick: '0.01', lot: '0.00001', minNotional: '1' });

test('prices from models become text on the tick grid, on the wanted side', () => {
  expect(roundPrice(btc, 61_837.637_999_9, 'down')).toBe('61837.63');
  expect(roundPrice(btc, 61_837.630_000_1, 'up')).toBe('61837.64');
  expect(roundPrice(btc, 0.1 + 0.2, 'down')).toBe('0.3');
});

test('a price on the grid, as the double the book carries, is not moved', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100_000_000 }), (ticks) => {
      const price = ticks / 100;
      expect(roundPrice(btc, price, 'down')).toBe(roundPrice(btc, price, 'up'));
    }),
  );
});

test('a quantity for a notional never costs more, is on the lot grid, and one lot more would cost more', () => {
  const notional = fc.integer({ min: 2, max: 1_000_000 });
  const price = fc.integer({ min: 1, max: 10_000_000 });
  fc.assert(
    fc.property(notional, price, (value, cents) => {
      const priceText = roundPrice(btc, cents / 100, 'down');
      const quantity = quantityForNotional(btc, String(value), priceText);
      if (quantity === undefined) return;
      const units = parseFixed(quantity);
      const scaled = parseFixed(String(value)) * 10n ** 8n;
      expect(units % btc.lot).toBe(0n);
      expect(units * parseFixed(priceText) <= scaled).toBe(true);
      expect((units + btc.lot) * parseFixed(priceText) > scaled).toBe(true);
    }),
  );
});

test('an order below the minimum notional or of no lot is none', () => {
  expect(quantityForNotional(btc, '0.99', '60000')).toBeUndefined();
  expect(quantityForNotional(btc, '50', '60000')).toBe('0.00083');
  expect(quantityForNotional(btc, '50', '0')).toBeUndefined();
  expect(isSellable(btc, '0.00001', '60000')).toBe(false);
  expect(isSellable(btc, '0.00002', '60000')).toBe(true);
});

test('quantities round down unless told otherwise', () => {
  expect(roundQuantity(btc, 0.000_019)).toBe('0.00001');
  expect(roundQuantity(btc, 0.000_019, 'up')).toBe('0.00002');
});

test('basis points of a price are counted in whole ticks', () => {
  expect(bpsToTicks(btc, 0.2, 60_000)).toBe(120);
  expect(bpsToTicks(btc, 0, 60_000)).toBe(0);
});

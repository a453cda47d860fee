import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  amountOf,
  divideFixed,
  fixedFromNumber,
  formatAmount,
  formatFixed,
  notionalOf,
  parseAmount,
  parseFixed,
  type Rounding,
  roundTo,
  toNumber,
} from './decimal.js';

const fixed = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n });
const step = fc.bigInt({ min: 1n, max: 10n ** 10n });

test('text and units are the same thing in both directions', () => {
  fc.assert(fc.property(fixed, (units) => parseFixed(formatFixed(units)) === units));
});

test.each([
  [0n, '0'],
  [1n, '0.00000001'],
  [-150_000_000n, '-1.5'],
  [6_183_763_000_000n, '61837.63'],
])('%d units are written %s', (units, text) => expect(formatFixed(units)).toBe(text));

test.each(['', '.', '1.', '.5', '1e3', '+1', ' 1', '1,5', '0.123456789', 'NaN', '--1'])(
  'refuses %j as decimal text',
  (text) => expect(() => parseFixed(text)).toThrow('is not plain decimal text'),
);

test('amounts keep sixteen decimals, and a value is exact', () => {
  fc.assert(fc.property(fixed, (units) => parseAmount(formatAmount(units)) === units));
  expect(formatAmount(notionalOf(parseFixed('0.00001'), parseFixed('61837.63')))).toBe('0.6183763');
  expect(formatAmount(parseAmount('-0.0000000000000001'))).toBe('-0.0000000000000001');
  expect(() => parseFixed('0.0000000000000001')).toThrow('at most 8 decimals');
});

test('rounding lands on the grid, on the right side, less than one step away', () => {
  fc.assert(
    fc.property(fixed, step, (units, grid) => {
      const down = roundTo(units, grid, 'down');
      const up = roundTo(units, grid, 'up');
      const nearest = roundTo(units, grid, 'nearest');
      for (const one of [down, up, nearest]) expect(one % grid).toBe(0n);
      expect(down <= units && units - down < grid).toBe(true);
      expect(up >= units && up - units < grid).toBe(true);
      expect([down, up]).toContain(nearest);
      const away = nearest > units ? nearest - units : units - nearest;
      expect(2n * away <= grid).toBe(true);
    }),
  );
});

test('what is on the grid already stays', () => {
  fc.assert(
    fc.property(fixed, step, fc.constantFrom<Rounding>('down', 'up', 'nearest'), (count, grid, rounding) => {
      expect(roundTo(count * grid, grid, rounding)).toBe(count * grid);
    }),
  );
});

test('a double made from decimal text of up to 15 digits reads back as that text', () => {
  const places = fc.integer({ min: 0, max: 8 });
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 15n) + 1n, max: 10n ** 15n - 1n }), places, (digits, decimals) => {
      const units = digits * 10n ** BigInt(8 - decimals);
      expect(fixedFromNumber(toNumber(units))).toBe(units);
    }),
  );
});

test('doubles become what their text says, whichever way is taken', () => {
  const byText = (value: number) => {
    const whole = Math.abs(value) < 1 ? 0 : Math.floor(Math.abs(value)).toString().length;
    return parseFixed(value.toFixed(Math.min(8, 15 - whole)));
  };
  const near = fc
    .tuple(fc.maxSafeInteger(), fc.constantFrom(0, 0.2, 0.249, 0.25, 0.4999, 0.5, 0.5001, 0.75))
    .map(([units, off]) => (units + off) / 1e8);
  const any = fc.double({ min: -1e9, max: 1e9, noNaN: true });
  fc.assert(
    fc.property(fc.oneof(near, any), (value) => {
      expect(fixedFromNumber(value)).toBe(byText(value));
    }),
    { numRuns: 2_000 },
  );
  fc.assert(
    fc.property(fixed, (units) => {
      expect(toNumber(units)).toBe(Number(formatFixed(units)));
    }),
  );
});

test('numbers that are no amount are refused', () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 1e15, -1e15]) {
    expect(() => fixedFromNumber(value)).toThrow('is not a number below 1e15');
  }
});

test('a quotient times its divisor brackets the dividend', () => {
  const positive = fc.bigInt({ min: 1n, max: 10n ** 16n });
  fc.assert(
    fc.property(positive, positive, (a, b) => {
      expect(notionalOf(divideFixed(a, b, 'down'), b) <= amountOf(a)).toBe(true);
      expect(notionalOf(divideFixed(a, b, 'up'), b) >= amountOf(a)).toBe(true);
    }),
  );
});

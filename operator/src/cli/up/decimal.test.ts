import { expect, test } from 'vitest';
import { decimalsEqual, fromScaled, sumDecimals, toScaled } from './decimal.js';

test('the same number in other words is equal, another number is not', () => {
  expect(decimalsEqual('1', '1.000000000000000000')).toBe(true);
  expect(decimalsEqual('-0.50', '-0.5')).toBe(true);
  expect(decimalsEqual('0', '-0')).toBe(true);
  expect(decimalsEqual('0.1', '0.10000001')).toBe(false);
});

test('sums are exact where doubles are not', () => {
  expect(sumDecimals(['0.1', '0.2', '-0.3'])).toBe('0');
  expect(fromScaled(toScaled('-12.5000'))).toBe('-12.5');
});

test('text that is no number is refused', () => {
  for (const text of ['', '.', 'abc', '1e5', '0.0000000000000000001']) expect(() => toScaled(text)).toThrow();
});

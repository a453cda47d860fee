// Exact decimals: bigint counts of 1e-8, the same grid as the core's Price and Qty.

import type { DecimalText } from './brand.js';
import { StrategyError } from './errors.js';

/** A count of 1e-8. */
export type Fixed = bigint;

/** `down` is towards minus infinity, `up` towards plus infinity, `nearest` rounds halves up. */
export type Rounding = 'down' | 'up' | 'nearest';

const decimals = 8;
const one = 10n ** BigInt(decimals);
const pattern = /^(-?)(\d{1,18})(?:\.(\d{1,8}))?$/;
// A double holds 15 significant decimal digits; what it prints beyond them is noise of the binary form.
const significantDigits = 15;

/** Reads decimal text exactly; refuses exponents, signs other than minus, and more than eight decimals. */
export function parseFixed(text: string): Fixed {
  const match = pattern.exec(text);
  if (match === null) {
    throw new StrategyError(
      'BAD_DECIMAL',
      `"${text}" is not plain decimal text with at most ${decimals} decimals`,
    );
  }
  const [, sign, whole = '', fraction = ''] = match;
  const units = BigInt(whole) * one + BigInt(fraction.padEnd(decimals, '0'));
  return sign === '-' ? -units : units;
}

/** Writes plain decimal text without trailing zeros. */
export function formatFixed(units: Fixed): DecimalText {
  const magnitude = units < 0n ? -units : units;
  const fraction = (magnitude % one).toString().padStart(decimals, '0').replace(/0+$/, '');
  const text = `${units < 0n ? '-' : ''}${magnitude / one}${fraction === '' ? '' : `.${fraction}`}`;
  return text as DecimalText;
}

/** The decimal nearest to a double, trusting its first 15 significant digits. */
export function fixedFromNumber(value: number): Fixed {
  const magnitude = Math.abs(value);
  if (!(magnitude < 1e15)) {
    throw new StrategyError('BAD_DECIMAL', `${value} is not a number below 1e15`);
  }
  const wholeDigits = magnitude < 1 ? 0 : Math.floor(magnitude).toString().length;
  return parseFixed(value.toFixed(Math.min(decimals, significantDigits - wholeDigits)));
}

/** For models and comparisons only: what is sent is made from `Fixed`. */
export function toNumber(value: Fixed | DecimalText): number {
  return Number(typeof value === 'bigint' ? formatFixed(value) : value);
}

function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient;
}

function divide(a: bigint, b: bigint, rounding: Rounding): bigint {
  if (b === 0n) throw new StrategyError('BAD_DECIMAL', 'division by zero');
  if (rounding === 'down') return floorDivide(a, b);
  if (rounding === 'up') return -floorDivide(-a, b);
  return floorDivide(2n * a + b, 2n * b);
}

/** The multiple of `step` at or next to `units` in the direction of `rounding`. */
export function roundTo(units: Fixed, step: Fixed, rounding: Rounding): Fixed {
  if (step <= 0n) throw new StrategyError('BAD_DECIMAL', `a grid of ${formatFixed(step)} is not positive`);
  return divide(units, step, rounding) * step;
}

export const floorTo = (units: Fixed, step: Fixed): Fixed => roundTo(units, step, 'down');
export const ceilTo = (units: Fixed, step: Fixed): Fixed => roundTo(units, step, 'up');
export const nearestTo = (units: Fixed, step: Fixed): Fixed => roundTo(units, step, 'nearest');

export const multiplyFixed = (a: Fixed, b: Fixed, rounding: Rounding): Fixed => divide(a * b, one, rounding);
export const divideFixed = (a: Fixed, b: Fixed, rounding: Rounding): Fixed => divide(a * one, b, rounding);

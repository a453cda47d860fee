// Exact decimals: bigint counts of 1e-8 for prices and quantities, of 1e-16 for amounts, the grids of the core.

import type { DecimalText } from './brand.js';
import { StrategyError } from './errors.js';

/** A count of 1e-8: a price or a quantity. */
export type Fixed = bigint;
/** A count of 1e-16: money, fees, balances. A price times a quantity is one, without rounding. */
export type Amount = bigint;

/** `down` is towards minus infinity, `up` towards plus infinity, `nearest` rounds halves up. */
export type Rounding = 'down' | 'up' | 'nearest';

const decimals = 8;
const amountDecimals = 16;
const one = 10n ** BigInt(decimals);
const pattern = /^(-?)(\d{1,22})(?:\.(\d{1,16}))?$/;
// A double holds 15 significant decimal digits; what it prints beyond them is noise of the binary form.
const significantDigits = 15;

function parse(text: string, places: number): bigint {
  const [, sign, whole = '', fraction = ''] = pattern.exec(text) ?? [];
  if (whole === '' || fraction.length > places) {
    throw new StrategyError(
      'BAD_DECIMAL',
      `"${text}" is not plain decimal text with at most ${places} decimals`,
    );
  }
  const units = BigInt(whole + fraction.padEnd(places, '0'));
  return sign === '-' ? -units : units;
}

function format(units: bigint, places: number): DecimalText {
  const digits = (units < 0n ? -units : units).toString().padStart(places + 1, '0');
  const fraction = digits.slice(-places).replace(/0+$/, '');
  const text = `${units < 0n ? '-' : ''}${digits.slice(0, -places)}${fraction === '' ? '' : `.${fraction}`}`;
  return text as DecimalText;
}

/** Reads decimal text exactly; refuses exponents, signs other than minus, and more than eight decimals. */
export const parseFixed = (text: string): Fixed => parse(text, decimals);

/** Writes plain decimal text without trailing zeros. */
export const formatFixed = (units: Fixed): DecimalText => format(units, decimals);

/** As `parseFixed`, with up to sixteen decimals. */
export const parseAmount = (text: string): Amount => parse(text, amountDecimals);

export const formatAmount = (units: Amount): DecimalText => format(units, amountDecimals);

/** A quantity as an amount of its asset. */
export const amountOf = (units: Fixed): Amount => units * one;

/** The exact value of a quantity at a price. */
export const notionalOf = (quantity: Fixed, price: Fixed): Amount => quantity * price;

/** The decimal nearest to a double, trusting its first 15 significant digits. */
export function fixedFromNumber(value: number): Fixed {
  const magnitude = Math.abs(value);
  if (!(magnitude < 1e15)) {
    throw new StrategyError('BAD_DECIMAL', `${value} is not a number below 1e15`);
  }
  // Most numbers lie so near a whole count that rounding the product cannot err; it saves the way over text.
  const product = value * 1e8;
  const nearest = Math.round(product);
  if (magnitude < 1e7 && Math.abs(product - nearest) < 0.25) return BigInt(nearest);
  const wholeDigits = magnitude < 1 ? 0 : Math.floor(magnitude).toString().length;
  return parseFixed(value.toFixed(Math.min(decimals, significantDigits - wholeDigits)));
}

/** For models and comparisons only: what is sent is made from `Fixed`. */
export function toNumber(value: Fixed | DecimalText): number {
  if (typeof value !== 'bigint') return Number(value);
  const units = Number(value);
  // The quotient of two exact doubles is the double nearest to it, as reading the text would give.
  return Number.isSafeInteger(units) ? units / 1e8 : Number(formatFixed(value));
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

/** a ÷ b on the grid of 1e-8. */
export const divideFixed = (a: Fixed, b: Fixed, rounding: Rounding): Fixed => divide(a * one, b, rounding);

// What callers pass, checked before it goes to the addon: an error names the argument, the value and what is accepted.

import { inspect } from 'node:util';
import { nativeError } from './errors.js';

function refuse(name: string, value: unknown, accepted: string): never {
  const shown = inspect(value, { depth: 0, maxStringLength: 60, maxArrayLength: 3, breakLength: Infinity });
  throw nativeError('INVALID_ARGUMENT', `${name} is ${shown}; accepted: ${accepted}`);
}

export function wholeNumber(
  name: string,
  value: unknown,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  return refuse(name, value, `a whole number from ${least} to ${most}`);
}

export function finiteNumber(name: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  return refuse(name, value, 'a finite number');
}

export function text(name: string, value: unknown): string {
  return typeof value === 'string' ? value : refuse(name, value, 'a string');
}

export function oneOf<T extends string>(name: string, value: unknown, accepted: readonly T[]): T {
  const found = accepted.find((one) => one === value);
  return found ?? refuse(name, value, accepted.join(', '));
}

export function texts(name: string, value: unknown, least = 0): string[] {
  const good = Array.isArray(value) && value.length >= least && value.every((one) => typeof one === 'string');
  return good ? value : refuse(name, value, `an array of at least ${least} strings`);
}

export function bytes(name: string, value: unknown): Uint8Array {
  return value instanceof Uint8Array ? value : refuse(name, value, 'a Uint8Array or Buffer');
}

export function offsets(name: string, value: unknown): Uint32Array {
  return value instanceof Uint32Array ? value : refuse(name, value, 'a Uint32Array');
}

/** Prices and quantities of levels as parallel arrays of doubles. */
export interface Levels {
  readonly prices: Float64Array;
  readonly quantities: Float64Array;
}

export function levels(name: string, value: unknown): Levels {
  const { prices, quantities } = (value ?? {}) as Partial<Levels>;
  if (!(prices instanceof Float64Array) || !(quantities instanceof Float64Array))
    return refuse(name, value, '{ prices: Float64Array, quantities: Float64Array }');
  return value as Levels;
}

export function object<T extends object>(name: string, value: T): T {
  return typeof value === 'object' && value !== null ? value : refuse(name, value, 'an object');
}

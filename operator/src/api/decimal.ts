// Exact arithmetic on decimal text, for sums in status. Nothing here decides on orders.

const places = 18;

/** Decimal text as an integer of 1e-18, or undefined when it is none. */
export function toScaled(text: string): bigint | undefined {
  const match = /^(-?)([0-9]{1,20})(?:\.([0-9]{1,18}))?$/.exec(text);
  if (!match) return undefined;
  const [, sign, whole = '0', fraction = ''] = match;
  const magnitude = BigInt(whole + fraction.padEnd(places, '0'));
  return sign === '-' ? -magnitude : magnitude;
}

/** Shortest decimal text of an integer of 1e-18. */
export function fromScaled(value: bigint): string {
  const digits = (value < 0n ? -value : value).toString().padStart(places + 1, '0');
  const fraction = digits.slice(-places).replace(/0+$/, '');
  const text = digits.slice(0, -places) + (fraction === '' ? '' : `.${fraction}`);
  return value < 0n ? `-${text}` : text;
}

/** Sum of decimal texts; absent ones count as nothing. */
export function sum(values: readonly (string | undefined)[]): string {
  return fromScaled(values.reduce((total, value) => total + (toScaled(value ?? '0') ?? 0n), 0n));
}

export const isZero = (text: string): boolean => toScaled(text) === 0n;

/** The smaller of two decimal texts. */
export function smaller(a: string, b: string): string {
  return (toScaled(a) ?? 0n) <= (toScaled(b) ?? 0n) ? a : b;
}

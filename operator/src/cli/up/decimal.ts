const places = 18;

/** Plain decimal text as an integer of 1e-18: exact for everything that core and venue write. */
export function toScaled(text: string): bigint {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d*)\.?(\d*)$/.exec(text.trim()) ?? [];
  if (whole === '' && fraction === '') throw new Error(`${JSON.stringify(text)} is not a decimal number`);
  if (fraction.length > places && /[1-9]/.test(fraction.slice(places))) {
    throw new Error(`${JSON.stringify(text)} has more than ${places} decimal places`);
  }
  const magnitude = BigInt(whole + fraction.slice(0, places).padEnd(places, '0'));
  return sign === '-' ? -magnitude : magnitude;
}

/** Whether two decimal texts say the same number: `1`, `1.0` and `1.000` do. */
export function decimalsEqual(a: string, b: string): boolean {
  return toScaled(a) === toScaled(b);
}

/** Plain decimal text of an integer of 1e-18, shortest form. */
export function fromScaled(value: bigint): string {
  const magnitude = (value < 0n ? -value : value).toString().padStart(places + 1, '0');
  const fraction = magnitude.slice(-places).replace(/0+$/, '');
  const text = magnitude.slice(0, -places) + (fraction === '' ? '' : `.${fraction}`);
  return value < 0n ? `-${text}` : text;
}

/** Sum of decimal texts, as decimal text. */
export function sumDecimals(values: readonly string[]): string {
  return fromScaled(values.reduce((sum, value) => sum + toScaled(value || '0'), 0n));
}

/**
 * resource.Quantity of Kubernetes, exactly: decimal arithmetic on big integers, and the same rounding, capping and
 * int64 rules as k8s.io/apimachinery/pkg/api/resource, so that a rule judges here as it does in a cluster.
 */

/** The value is `nanos` × 10⁻⁹: nothing finer exists, finer input is rounded up, away from zero. */
export class Quantity {
  readonly nanos: bigint;
  /** int64 value × 10^scale, where the Go type keeps one; only such a quantity can be an integer. */
  readonly #small: Small | undefined;

  private constructor(nanos: bigint, small: Small | undefined) {
    this.nanos = nanos;
    this.#small = small;
  }

  /** Undefined when the text is no quantity. */
  static parse(text: string): Quantity | undefined {
    const match = SYNTAX.exec(text);
    if (match === null) return undefined;
    const [, sign = '', whole = '', fraction = '', suffix = ''] = match;
    if (whole === '' && fraction === '') return undefined;
    const unit = unitOf(suffix);
    if (unit === undefined) return undefined;
    const digits = whole.replace(/^0+/, '') || '0';
    const negative = sign === '-';

    const small = unit.binary
      ? smallBinary(digits, fraction, unit.exponent)
      : smallDecimal(digits, fraction, unit.exponent);
    if (small !== undefined) {
      const signed = { value: negative ? -small.value : small.value, scale: small.scale };
      return new Quantity(scaled(signed.value, signed.scale + 9), signed);
    }
    const nanos = cappedNanos(BigInt(digits + fraction), fraction.length, unit);
    return new Quantity(negative ? -nanos : nanos, undefined);
  }

  static ofInteger(value: bigint): Quantity {
    return new Quantity(value * NANO, { value, scale: 0 });
  }

  compareTo(other: Quantity): -1 | 0 | 1 {
    if (this.nanos === other.nanos) return 0;
    return this.nanos < other.nanos ? -1 : 1;
  }

  add(other: Quantity): Quantity {
    return new Quantity(this.nanos + other.nanos, addSmall(this.#small, other.#small));
  }

  sub(other: Quantity): Quantity {
    const small =
      other.#small === undefined ? undefined : { value: -other.#small.value, scale: other.#small.scale };
    return new Quantity(this.nanos - other.nanos, addSmall(this.#small, small));
  }

  /** Undefined when it is no int64, or is written so that Go does not see that it is one, e.g. "1.0". */
  get integer(): bigint | undefined {
    if (this.#small === undefined || this.#small.scale < 0) return undefined;
    const value = this.#small.value * 10n ** BigInt(this.#small.scale);
    return fitsInt64(value) ? value : undefined;
  }

  get approximateFloat(): number {
    return Number(this.toString());
  }

  /** Plain decimal notation. */
  toString(): string {
    const magnitude = this.nanos < 0n ? -this.nanos : this.nanos;
    const fraction = (magnitude % NANO).toString().padStart(9, '0').replace(/0+$/, '');
    return `${this.nanos < 0n ? '-' : ''}${magnitude / NANO}${fraction === '' ? '' : `.${fraction}`}`;
  }
}

interface Small {
  readonly value: bigint;
  readonly scale: number;
}

interface Unit {
  readonly binary: boolean;
  /** Power of ten, or of two. */
  readonly exponent: number;
}

const SYNTAX = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*(?:[eE][+-]?[0-9]+)?)$/;
const NANO = 1_000_000_000n;
const MAX_INT64 = 2n ** 63n - 1n;
const MIN_INT64 = -(2n ** 63n);
const DECIMAL: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const BINARY: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };
/** Beyond this an exponent only says "capped" or "rounded up to 1n"; 10 ** 2147483647 is not worth computing. */
const EXPONENT_LIMIT = 400;

function unitOf(suffix: string): Unit | undefined {
  const decimal = DECIMAL[suffix];
  if (decimal !== undefined) return { binary: false, exponent: decimal };
  const binary = BINARY[suffix];
  if (binary !== undefined) return { binary: true, exponent: binary };
  const power = /^[eE]([+-]?[0-9]+)$/.exec(suffix)?.[1];
  if (power === undefined) return undefined;
  const exponent = Number(power);
  // Go parses the exponent as int64 and truncates to int32; nobody means such a number, so it is refused here.
  if (!Number.isSafeInteger(exponent) || Math.abs(exponent) > 2 ** 31 - 1) return undefined;
  return { binary: false, exponent: Math.max(-EXPONENT_LIMIT, Math.min(EXPONENT_LIMIT, exponent)) };
}

/** The fast path of ParseQuantity for decimal units: at most 18 digits and nothing below nano. Not capped. */
function smallDecimal(digits: string, fraction: string, exponent: number): Small | undefined {
  const scale = exponent - fraction.length;
  if (digits.length + fraction.length > 18 || scale < -9) return undefined;
  return { value: BigInt(digits + fraction), scale };
}

/** The fast path for binary units: whole numbers whose product certainly fits an int64. */
function smallBinary(digits: string, fraction: string, exponent: number): Small | undefined {
  const precision = 15 - digits.length - Math.trunc((exponent * 3) / 10) - 1;
  if (fraction.length > 0 || precision < 0) return undefined;
  return { value: BigInt(digits) << BigInt(exponent), scale: 0 };
}

function cappedNanos(unscaled: bigint, fractionDigits: number, unit: Unit): bigint {
  const amount = unit.binary ? unscaled << BigInt(unit.exponent) : unscaled;
  const scale = (unit.binary ? 0 : unit.exponent) - fractionDigits + 9;
  const nanos = scaled(amount, scale);
  return nanos > MAX_INT64 * NANO ? MAX_INT64 * NANO : nanos;
}

/** value × 10^exponent as an integer, rounded away from zero. */
function scaled(value: bigint, exponent: number): bigint {
  if (exponent >= 0) return value * 10n ** BigInt(exponent);
  const divisor = 10n ** BigInt(-exponent);
  const quotient = value / divisor;
  if (value % divisor === 0n) return quotient;
  return value < 0n ? quotient - 1n : quotient + 1n;
}

/** int64Amount.Add; undefined where Go goes over to its big type. */
function addSmall(a: Small | undefined, b: Small | undefined): Small | undefined {
  if (a === undefined || b === undefined) return undefined;
  if (b.value === 0n) return a;
  if (a.value === 0n) return b;
  const scale = Math.min(a.scale, b.scale);
  const left = a.value * 10n ** BigInt(a.scale - scale);
  const right = b.value * 10n ** BigInt(b.scale - scale);
  if (!fitsInt64(left) || !fitsInt64(right) || !fitsInt64(left + right)) return undefined;
  return { value: left + right, scale };
}

function fitsInt64(value: bigint): boolean {
  return value >= MIN_INT64 && value <= MAX_INT64;
}

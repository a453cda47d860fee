import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Quantity } from './quantity.js';

const quantity = (text: string): Quantity => {
  const parsed = Quantity.parse(text);
  if (parsed === undefined) throw new Error(`${text} is no quantity`);
  return parsed;
};

/** An exact fraction: the independent arithmetic that the tests compare with. */
interface Fraction {
  readonly over: bigint;
  readonly under: bigint;
}

const SUFFIXES: Record<string, Fraction> = {
  n: { over: 1n, under: 10n ** 9n },
  u: { over: 1n, under: 10n ** 6n },
  m: { over: 1n, under: 1000n },
  '': { over: 1n, under: 1n },
  k: { over: 1000n, under: 1n },
  M: { over: 10n ** 6n, under: 1n },
  G: { over: 10n ** 9n, under: 1n },
  Ki: { over: 2n ** 10n, under: 1n },
  Mi: { over: 2n ** 20n, under: 1n },
  'e-3': { over: 1n, under: 1000n },
  E2: { over: 100n, under: 1n },
};

const decimal = fc.record({
  negative: fc.boolean(),
  whole: fc.bigInt({ min: 0n, max: 10n ** 9n }),
  fraction: fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 12 }).map((digits) => digits.join('')),
  suffix: fc.constantFrom(...Object.keys(SUFFIXES)),
});
type Decimal = typeof decimal extends fc.Arbitrary<infer T> ? T : never;

const textOf = ({ negative, whole, fraction, suffix }: Decimal) =>
  `${negative ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}${suffix}`;

/** Nanos of the fraction, away from zero. */
function nanosOf({ negative, whole, fraction, suffix }: Decimal): bigint {
  const unit = SUFFIXES[suffix] ?? { over: 0n, under: 1n };
  const over = BigInt(`${whole}${fraction}`) * unit.over * 10n ** 9n;
  const under = 10n ** BigInt(fraction.length) * unit.under;
  const magnitude = (over + under - 1n) / under;
  return negative ? -magnitude : magnitude;
}

describe('a quantity', () => {
  it('is the exact value of its text in steps of 1n, rounded away from zero', () => {
    fc.assert(fc.property(decimal, (value) => quantity(textOf(value)).nanos === nanosOf(value)));
  });

  it('is ordered as the exact values are', () => {
    const sign = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0);
    fc.assert(
      fc.property(
        decimal,
        decimal,
        (a, b) => quantity(textOf(a)).compareTo(quantity(textOf(b))) === sign(nanosOf(a), nanosOf(b)),
      ),
    );
  });

  it('adds and subtracts without loss', () => {
    fc.assert(
      fc.property(decimal, decimal, (a, b) => {
        const [left, right] = [quantity(textOf(a)), quantity(textOf(b))];
        expect(left.add(right).nanos).toBe(nanosOf(a) + nanosOf(b));
        expect(left.sub(right).nanos).toBe(nanosOf(a) - nanosOf(b));
        expect(left.add(right).sub(right).compareTo(left)).toBe(0);
      }),
    );
  });

  it('survives being written out', () => {
    fc.assert(
      fc.property(decimal, (value) => quantity(quantity(textOf(value)).toString()).nanos === nanosOf(value)),
    );
  });

  // The examples of the Kubernetes documentation of the CEL quantity library.
  it.each([
    ['50M', '50Mi', -1],
    ['50Mi', '50M', 1],
    ['200M', '0.2G', 0],
    ['50k', '0.05M', 0],
  ])('%s compared with %s is %i', (a, b, expected) => {
    expect(quantity(a).compareTo(quantity(b))).toBe(expected);
  });

  it.each([
    ['50000000G', 50_000_000_000_000_000n],
    ['500000G', 500_000_000_000_000n],
    ['50k', 50_000n],
    ['50.703k', 50_703n],
    ['1Ki', 1024n],
    ['9999999999999999999999999999999999999G', undefined],
    ['1.5', undefined],
    // The Go type keeps the scale it was written with, and so does not see that this is whole.
    ['1.0', undefined],
  ])('%s as an integer is %s', (text, expected) => {
    expect(quantity(text).integer).toBe(expected);
  });

  // From the tests of k8s.io/apimachinery/pkg/api/resource.
  it.each([
    '',
    '.',
    'aoeu',
    '1.1.M',
    '1+1.0M',
    '0.1mi',
    '0.1am',
    '.5i',
    '1i',
    '-3.01i',
    '-3.01e-',
    ' 1',
    '1 ',
    '0x1',
    '1e',
    '--1',
    '1kk',
  ])('%j is none', (text) => {
    expect(Quantity.parse(text)).toBeUndefined();
  });

  it.each([
    ['1.1n', 2n],
    ['0.01n', 1n],
    ['-0.01n', -1n],
    ['1e-10', 1n],
    ['0e-99999', 0n],
    ['.5', 500_000_000n],
    ['5.', 5_000_000_000n],
    ['+1', 1_000_000_000n],
    ['00.1', 100_000_000n],
  ])('%s is %s nanos', (text, nanos) => {
    expect(quantity(text).nanos).toBe(nanos);
  });

  it('is capped at the largest int64, however large the exponent', () => {
    const cap = (2n ** 63n - 1n) * 10n ** 9n;
    for (const text of [
      '9223372036854775808',
      '99999999999999999999',
      '1000000000000000000000Ei',
      '1e2000000000',
      '1.0e2000000000',
    ]) {
      const { nanos } = quantity(text);
      // As in Go, a short mantissa keeps its exponent instead of being capped; either way it is no less.
      expect(nanos >= cap).toBe(true);
    }
    expect(quantity('99999999999999999999').nanos).toBe(cap);
  });
});

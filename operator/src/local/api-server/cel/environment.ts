import { Environment } from '@marcbachmann/cel-js';
import { Quantity } from './quantity.js';

/** The CEL name that Kubernetes gives to its quantity type. */
const QUANTITY = 'kubernetes.Quantity';

/**
 * CEL as the API server offers it to CRD rules, as far as our language library goes: the standard functions,
 * string extensions, and the quantity library. A rule that uses anything else (list sums, url(), ip(), cidr(),
 * semver()) fails the type check and its CRD is refused, by name of the missing function.
 */
export function baseEnvironment(): Environment {
  return (
    new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: true })
      .registerType(QUANTITY, { ctor: Quantity, fields: {} })
      .registerFunction(`quantity(string): ${QUANTITY}`, parseQuantity)
      .registerFunction('isQuantity(string): bool', (text: string) => Quantity.parse(text) !== undefined)
      .registerFunction(`${QUANTITY}.compareTo(${QUANTITY}): int`, (a: Quantity, b: Quantity) =>
        BigInt(a.compareTo(b)),
      )
      .registerFunction(
        `${QUANTITY}.isGreaterThan(${QUANTITY}): bool`,
        (a: Quantity, b: Quantity) => a.compareTo(b) > 0,
      )
      .registerFunction(
        `${QUANTITY}.isLessThan(${QUANTITY}): bool`,
        (a: Quantity, b: Quantity) => a.compareTo(b) < 0,
      )
      .registerFunction(`${QUANTITY}.add(${QUANTITY}): ${QUANTITY}`, (a: Quantity, b: Quantity) => a.add(b))
      .registerFunction(`${QUANTITY}.add(int): ${QUANTITY}`, (a: Quantity, b: bigint) =>
        a.add(Quantity.ofInteger(b)),
      )
      .registerFunction(`${QUANTITY}.sub(${QUANTITY}): ${QUANTITY}`, (a: Quantity, b: Quantity) => a.sub(b))
      .registerFunction(`${QUANTITY}.sub(int): ${QUANTITY}`, (a: Quantity, b: bigint) =>
        a.sub(Quantity.ofInteger(b)),
      )
      // sign() is documented, but the real server finds no overload of it.
      .registerFunction(`${QUANTITY}.isInteger(): bool`, (a: Quantity) => a.integer !== undefined)
      .registerFunction(`${QUANTITY}.asInteger(): int`, asInteger)
      .registerFunction(`${QUANTITY}.asApproximateFloat(): double`, (a: Quantity) => a.approximateFloat)
      .registerOperator(`${QUANTITY} == ${QUANTITY}`, (a: Quantity, b: Quantity) => a.compareTo(b) === 0)
  );
}

function parseQuantity(text: string): Quantity {
  const quantity = Quantity.parse(text);
  if (quantity === undefined)
    throw new Error(
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    );
  return quantity;
}

function asInteger(quantity: Quantity): bigint {
  const value = quantity.integer;
  if (value === undefined) throw new Error('cannot convert value to integer');
  return value;
}

import { checkRules } from '../cel/rules.js';
import { at, type FieldError, fieldError } from '../field-errors.js';
import { deepEqual, isObject, type Json, type JsonObject, typeName } from '../json.js';
import type { ValueChecks } from './checks.js';
import { formatProblem } from './formats.js';
import type { SchemaNode } from './structural.js';

/** Errors after which CEL rules are not evaluated, as their types or costs could not be relied on. */
const BLOCKING = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);
const RULES_SKIPPED =
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';

/**
 * Everything that the schema has against `value`. On an update, `old` is the stored value: what was stored before
 * and did not change is not complained of (ratcheting), and transition rules compare with it.
 */
export function validate(node: SchemaNode, value: Json, old: Json | undefined, path = ''): FieldError[] {
  const errors: FieldError[] = [];
  checkNode(node, value, old, path, errors);
  if (errors.some((error) => BLOCKING.has(error.reason))) {
    if (hasRules(node))
      errors.push({
        reason: 'FieldValueInvalid',
        field: '<nil>',
        message: `Invalid value: null: ${RULES_SKIPPED}`,
      });
    return errors;
  }
  return [...errors, ...checkRules(node, value, old, path)];
}

function hasRules(node: SchemaNode): boolean {
  if (node.rules !== undefined) return true;
  if (node.items !== undefined && hasRules(node.items)) return true;
  if (node.additional !== undefined && node.additional !== true && hasRules(node.additional)) return true;
  return [...node.properties.values()].some(hasRules);
}

function checkNode(
  node: SchemaNode,
  value: Json,
  old: Json | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (old !== undefined && deepEqual(value, old)) return;
  if (value === null && node.nullable) return;
  if (!hasType(node, value)) {
    errors.push(
      fieldError.type(path, node.intOrString ? 'integer,string' : String(node.type), typeName(value)),
    );
    return;
  }
  errors.push(...failedChecks(node.checks, value, path));
  if (typeof value === 'string') {
    const problem = formatProblem(node.format, value, path);
    if (problem !== undefined) errors.push(problem);
  }
  if (typeof value === 'number' && node.type === 'integer')
    checkIntegerFormat(node.format, value, path, errors);
  if (Array.isArray(value)) checkItems(node, value, old, path, errors);
  if (isObject(value)) {
    checkProperties(node, value, old, path, errors);
    errors.push(...missing(node.checks, value, path));
  }
}

function missing(checks: ValueChecks, value: JsonObject, path: string): FieldError[] {
  return checks.required
    .filter((name) => !Object.hasOwn(value, name))
    .map((name) => fieldError.required(at.child(path, name)));
}

function hasType(node: SchemaNode, value: Json): boolean {
  const actual = typeName(value);
  if (node.intOrString) return actual === 'integer' || actual === 'string';
  if (node.type === undefined) return true;
  return actual === node.type || (node.type === 'number' && actual === 'integer');
}

function checkIntegerFormat(
  format: string | undefined,
  value: number,
  path: string,
  errors: FieldError[],
): void {
  if (format === 'int32' && (value < -(2 ** 31) || value > 2 ** 31 - 1)) {
    errors.push(
      fieldError.invalid(
        path,
        value,
        `${path} in body must be of type int32: ${JSON.stringify(String(value))}`,
      ),
    );
  }
}

function checkItems(
  node: SchemaNode,
  value: Json[],
  old: Json | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (node.items === undefined) return;
  for (const [index, item] of value.entries()) {
    checkNode(node.items, item, correlatedItem(node, old, item), at.index(path, index), errors);
  }
  if (node.listType !== 'set' && node.listType !== 'map') return;
  const seen: Json[] = [];
  for (const [index, item] of value.entries()) {
    const identity = node.listType === 'map' ? mapKeysOf(node, item) : item;
    if (seen.some((other) => deepEqual(other, identity)))
      errors.push(fieldError.duplicate(at.index(path, index), identity));
    else seen.push(identity);
  }
}

function checkProperties(
  node: SchemaNode,
  value: JsonObject,
  old: Json | undefined,
  path: string,
  errors: FieldError[],
): void {
  const before = isObject(old) ? old : undefined;
  for (const [name, inner] of Object.entries(value)) {
    const property = node.properties.get(name);
    if (property !== undefined) checkNode(property, inner, before?.[name], at.child(path, name), errors);
    else if (node.additional !== undefined && node.additional !== true) {
      checkNode(node.additional, inner, before?.[name], at.key(path, name), errors);
    }
  }
}

/** The earlier self of a list item; only items of list type map have one. */
export function correlatedItem(node: SchemaNode, old: Json | undefined, item: Json): Json | undefined {
  if (node.listType !== 'map' || !Array.isArray(old)) return undefined;
  const keys = mapKeysOf(node, item);
  return old.find((candidate) => deepEqual(mapKeysOf(node, candidate), keys));
}

function mapKeysOf(node: SchemaNode, item: Json): JsonObject {
  const keys: JsonObject = {};
  for (const key of node.listMapKeys) {
    const value = isObject(item) ? item[key] : undefined;
    if (value !== undefined) keys[key] = value;
  }
  return keys;
}

function failedChecks(checks: ValueChecks, value: Json, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const inBody = (detail: string) =>
    errors.push(fieldError.invalid(path, value, `${path} in body ${detail}`));
  // Of what has too few parts, the message shows how many there are.
  const tooFew = (size: number, detail: string) =>
    errors.push(fieldError.invalid(path, size, `${path} in body ${detail}`));
  if (checks.enum !== undefined && !checks.enum.some((allowed) => deepEqual(allowed, value))) {
    errors.push(fieldError.unsupported(path, value, checks.enum));
  }
  if (typeof value === 'number') checkNumber(checks, value, inBody);
  if (typeof value === 'string') {
    const length = [...value].length;
    if (checks.maxLength !== undefined && length > checks.maxLength)
      errors.push(fieldError.tooLong(path, checks.maxLength));
    if (checks.minLength !== undefined && length < checks.minLength)
      inBody(`should be at least ${checks.minLength} chars long`);
    if (checks.pattern !== undefined && !checks.pattern.expression.test(value))
      inBody(`should match '${checks.pattern.source}'`);
  }
  if (Array.isArray(value)) {
    if (checks.maxItems !== undefined && value.length > checks.maxItems)
      errors.push(fieldError.tooMany(path, value.length, checks.maxItems));
    if (checks.minItems !== undefined && value.length < checks.minItems)
      tooFew(value.length, `should have at least ${checks.minItems} items`);
    const inner = checks.itemChecks;
    if (inner !== undefined)
      for (const [index, item] of value.entries())
        errors.push(...failedChecks(inner, item, at.index(path, index)));
  }
  if (isObject(value)) {
    const size = Object.keys(value).length;
    if (checks.maxProperties !== undefined && size > checks.maxProperties)
      errors.push(fieldError.tooMany(path, size, checks.maxProperties));
    if (checks.minProperties !== undefined && size < checks.minProperties)
      tooFew(size, `should have at least ${checks.minProperties} properties`);
    for (const [name, inner] of checks.properties) {
      const property = value[name];
      if (property !== undefined) errors.push(...failedChecks(inner, property, at.child(path, name)));
    }
    // Inside allOf and the like; of the structure itself they come last, below.
    if (checks.properties.size > 0) errors.push(...missing(checks, value, path));
  }
  errors.push(...failedCombinations(checks, value, path));
  return errors;
}

function checkNumber(checks: ValueChecks, value: number, inBody: (detail: string) => void): void {
  const { minimum, maximum, multipleOf } = checks;
  if (minimum !== undefined && (checks.exclusiveMinimum ? value <= minimum : value < minimum)) {
    inBody(`should be greater than ${checks.exclusiveMinimum ? '' : 'or equal to '}${minimum}`);
  }
  if (maximum !== undefined && (checks.exclusiveMaximum ? value >= maximum : value > maximum)) {
    inBody(`should be less than ${checks.exclusiveMaximum ? '' : 'or equal to '}${maximum}`);
  }
  if (multipleOf !== undefined && !Number.isInteger(value / multipleOf))
    inBody(`should be a multiple of ${multipleOf}`);
}

function failedCombinations(checks: ValueChecks, value: Json, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const passes = (inner: ValueChecks) => failedChecks(inner, value, path).length === 0;
  for (const inner of checks.allOf) errors.push(...failedChecks(inner, value, path));
  const complain = (detail: string) =>
    errors.push(fieldError.invalid(path, value, `${path === '' ? '""' : path} ${detail}`));
  if (checks.anyOf.length > 0 && !checks.anyOf.some(passes))
    complain('must validate at least one schema (anyOf)');
  const matching = checks.oneOf.filter(passes).length;
  if (checks.oneOf.length > 0 && matching !== 1)
    complain(
      `must validate one and only one schema (oneOf). Found ${matching === 0 ? 'none' : matching} valid`,
    );
  if (checks.not !== undefined && passes(checks.not)) complain('must not validate the schema (not)');
  return errors;
}

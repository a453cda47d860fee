import { isObject, type Json, type JsonObject } from '../json.js';
import { SchemaError } from './schema-error.js';

/** Keywords that only accept or refuse a value; these may also stand inside allOf, anyOf, oneOf, not. */
export interface ValueChecks {
  readonly enum: readonly Json[] | undefined;
  readonly minimum: number | undefined;
  readonly maximum: number | undefined;
  readonly exclusiveMinimum: boolean;
  readonly exclusiveMaximum: boolean;
  readonly multipleOf: number | undefined;
  readonly minLength: number | undefined;
  readonly maxLength: number | undefined;
  readonly pattern: { readonly source: string; readonly expression: RegExp } | undefined;
  readonly minItems: number | undefined;
  readonly maxItems: number | undefined;
  readonly minProperties: number | undefined;
  readonly maxProperties: number | undefined;
  readonly required: readonly string[];
  readonly properties: ReadonlyMap<string, ValueChecks>;
  readonly itemChecks: ValueChecks | undefined;
  readonly allOf: readonly ValueChecks[];
  readonly anyOf: readonly ValueChecks[];
  readonly oneOf: readonly ValueChecks[];
  readonly not: ValueChecks | undefined;
}

const ANNOTATIONS = ['title', 'description', 'example', 'externalDocs', 'default', 'format', 'nullable'];
const CHECKS = [
  ...[
    'enum',
    'minimum',
    'maximum',
    'exclusiveMinimum',
    'exclusiveMaximum',
    'multipleOf',
    'minLength',
    'maxLength',
  ],
  ...[
    'pattern',
    'minItems',
    'maxItems',
    'minProperties',
    'maxProperties',
    'required',
    'allOf',
    'anyOf',
    'oneOf',
    'not',
  ],
];
const STRUCTURE = ['type', 'properties', 'additionalProperties', 'items'];
const EXTENSIONS = [
  ...['x-kubernetes-preserve-unknown-fields', 'x-kubernetes-int-or-string', 'x-kubernetes-embedded-resource'],
  ...[
    'x-kubernetes-list-type',
    'x-kubernetes-list-map-keys',
    'x-kubernetes-map-type',
    'x-kubernetes-validations',
  ],
];
export const KEYWORDS = new Set([...ANNOTATIONS, ...CHECKS, ...STRUCTURE, ...EXTENSIONS]);
/** Keywords that are forbidden inside allOf, anyOf, oneOf and not. */
const NOT_IN_CHECKS = new Set([...ANNOTATIONS, 'type', 'additionalProperties', ...EXTENSIONS]);

export function compileChecks(schema: JsonObject, path: string, top = false): ValueChecks {
  if (!top) {
    const wrong = Object.keys(schema).find(
      (keyword) => !KEYWORDS.has(keyword) || (NOT_IN_CHECKS.has(keyword) && !allowedInside(schema, keyword)),
    );
    if (wrong !== undefined)
      throw new SchemaError(path, `"${wrong}" must not stand inside allOf, anyOf, oneOf or not`);
  }
  const list = (keyword: string): ValueChecks[] =>
    ((schema[keyword] ?? []) as Json[]).map((inner, index) =>
      checksOf(inner, `${path}.${keyword}[${index}]`),
    );
  const number = (keyword: string): number | undefined => schema[keyword] as number | undefined;
  return {
    enum: schema['enum'] as Json[] | undefined,
    minimum: number('minimum'),
    maximum: number('maximum'),
    exclusiveMinimum: schema['exclusiveMinimum'] === true,
    exclusiveMaximum: schema['exclusiveMaximum'] === true,
    multipleOf: number('multipleOf'),
    minLength: number('minLength'),
    maxLength: number('maxLength'),
    pattern: patternOf(schema['pattern'], path),
    minItems: number('minItems'),
    maxItems: number('maxItems'),
    minProperties: number('minProperties'),
    maxProperties: number('maxProperties'),
    required: (schema['required'] ?? []) as string[],
    // At the top the nodes of the structure check these themselves.
    properties: top
      ? new Map()
      : new Map(
          entries(schema['properties']).map(([name, inner]) => [
            name,
            checksOf(inner, `${path}.properties[${name}]`),
          ]),
        ),
    itemChecks: top || schema['items'] === undefined ? undefined : checksOf(schema['items'], `${path}.items`),
    allOf: list('allOf'),
    anyOf: list('anyOf'),
    oneOf: list('oneOf'),
    not: schema['not'] === undefined ? undefined : checksOf(schema['not'], `${path}.not`),
  };
}

/** int-or-string is spelled with types inside anyOf; they say nothing that the extension does not. */
function allowedInside(schema: JsonObject, keyword: string): boolean {
  return (
    keyword === 'type' &&
    (schema['type'] === 'integer' || schema['type'] === 'string') &&
    Object.keys(schema).length === 1
  );
}

function checksOf(schema: Json, path: string): ValueChecks {
  if (!isObject(schema)) throw new SchemaError(path, 'must be a schema object');
  return compileChecks(schema, path);
}

function patternOf(pattern: Json | undefined, path: string): ValueChecks['pattern'] {
  if (pattern === undefined) return undefined;
  try {
    return { source: String(pattern), expression: new RegExp(String(pattern), 'u') };
  } catch (error) {
    throw new SchemaError(
      path,
      `pattern ${JSON.stringify(pattern)} is not a regular expression: ${(error as Error).message}`,
    );
  }
}

export function entries(value: Json | undefined): [string, Json][] {
  return isObject(value) ? Object.entries(value) : [];
}

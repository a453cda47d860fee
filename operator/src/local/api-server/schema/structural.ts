import { type CompiledRules, compileRules, type RuleSource } from '../cel/rules.js';
import { isObject, type Json, type JsonObject } from '../json.js';

/** One node of a structural schema, ready to be applied. */
export interface SchemaNode {
  readonly type: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | undefined;
  readonly format: string | undefined;
  readonly nullable: boolean;
  readonly intOrString: boolean;
  readonly preserveUnknown: boolean;
  /** Has apiVersion, kind and metadata of its own, which need not be described. */
  readonly embeddedResource: boolean;
  readonly properties: ReadonlyMap<string, SchemaNode>;
  /** True: any value. */
  readonly additional: SchemaNode | true | undefined;
  readonly items: SchemaNode | undefined;
  readonly default: Json | undefined;
  readonly listType: 'atomic' | 'set' | 'map' | undefined;
  readonly listMapKeys: readonly string[];
  readonly checks: ValueChecks;
  readonly rules: CompiledRules | undefined;
}

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

/** What is wrong with a schema, and where. */
export class SchemaError extends Error {
  constructor(path: string, problem: string) {
    super(`${path}: ${problem}`);
    this.name = 'SchemaError';
  }
}

const TYPES = new Set(['object', 'array', 'string', 'integer', 'number', 'boolean']);
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
const KEYWORDS = new Set([...ANNOTATIONS, ...CHECKS, ...STRUCTURE, ...EXTENSIONS]);
/** Keywords that are forbidden inside allOf, anyOf, oneOf and not. */
const NOT_IN_CHECKS = new Set([...ANNOTATIONS, 'type', 'additionalProperties', ...EXTENSIONS]);

/** Reads an openAPIV3Schema. Keywords that would not be enforced are refused, never passed over. */
export function compileSchema(schema: Json | undefined, path: string): SchemaNode {
  if (!isObject(schema)) throw new SchemaError(path, 'must be a schema object');
  for (const keyword of Object.keys(schema)) {
    if (!KEYWORDS.has(keyword))
      throw new SchemaError(path, `keyword "${keyword}" is not part of a structural schema`);
  }
  const intOrString = schema['x-kubernetes-int-or-string'] === true;
  const preserveUnknown = schema['x-kubernetes-preserve-unknown-fields'] === true;
  const type = schema['type'];
  if (type === undefined ? !intOrString && !preserveUnknown : typeof type !== 'string' || !TYPES.has(type)) {
    throw new SchemaError(path, `type must be one of ${[...TYPES].join(', ')}`);
  }
  const properties = new Map<string, SchemaNode>();
  for (const [name, inner] of entries(schema['properties'])) {
    properties.set(name, compileSchema(inner, `${path}.properties[${name}]`));
  }
  const additional = schema['additionalProperties'];
  if (additional !== undefined && properties.size > 0) {
    throw new SchemaError(path, 'properties and additionalProperties exclude each other');
  }
  if (type === 'array' && schema['items'] === undefined) throw new SchemaError(path, 'an array needs items');
  const items = schema['items'] === undefined ? undefined : compileSchema(schema['items'], `${path}.items`);
  const node: Omit<SchemaNode, 'rules'> = {
    type: type as SchemaNode['type'],
    format: typeof schema['format'] === 'string' ? schema['format'] : undefined,
    nullable: schema['nullable'] === true,
    intOrString,
    preserveUnknown,
    embeddedResource: schema['x-kubernetes-embedded-resource'] === true,
    properties,
    additional: additionalOf(additional, path),
    items,
    default: schema['default'],
    ...listOf(schema, items, path),
    checks: compileChecks(schema, path, true),
  };
  const rules = schema['x-kubernetes-validations'];
  return { ...node, rules: rules === undefined ? undefined : rulesOf(rules, node, path) };
}

function additionalOf(additional: Json | undefined, path: string): SchemaNode | true | undefined {
  if (additional === undefined || additional === false) return undefined;
  return additional === true ? true : compileSchema(additional, `${path}.additionalProperties`);
}

function listOf(
  schema: JsonObject,
  items: SchemaNode | undefined,
  path: string,
): Pick<SchemaNode, 'listType' | 'listMapKeys'> {
  const listType = schema['x-kubernetes-list-type'] as SchemaNode['listType'];
  const listMapKeys = (schema['x-kubernetes-list-map-keys'] ?? []) as string[];
  if (listType !== undefined && !['atomic', 'set', 'map'].includes(listType)) {
    throw new SchemaError(path, `x-kubernetes-list-type "${listType}" must be atomic, set or map`);
  }
  if (listType !== undefined && schema['type'] !== 'array')
    throw new SchemaError(path, 'x-kubernetes-list-type needs type array');
  if ((listType === 'map') !== listMapKeys.length > 0) {
    throw new SchemaError(path, 'x-kubernetes-list-map-keys and list type map need each other');
  }
  for (const key of listMapKeys) {
    if (items?.properties.get(key) === undefined)
      throw new SchemaError(path, `list map key "${key}" is no property of the items`);
  }
  return { listType, listMapKeys };
}

function rulesOf(rules: Json, node: Omit<SchemaNode, 'rules'>, path: string): CompiledRules {
  if (!Array.isArray(rules)) throw new SchemaError(path, 'x-kubernetes-validations must be a list');
  const sources = rules.map((rule, index): RuleSource => {
    if (!isObject(rule) || typeof rule['rule'] !== 'string') {
      throw new SchemaError(`${path}.x-kubernetes-validations[${index}]`, 'needs a rule');
    }
    return rule as unknown as RuleSource;
  });
  return compileRules(sources, { ...node, rules: undefined }, `${path}.x-kubernetes-validations`);
}

function compileChecks(schema: JsonObject, path: string, top = false): ValueChecks {
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

function entries(value: Json | undefined): [string, Json][] {
  return isObject(value) ? Object.entries(value) : [];
}

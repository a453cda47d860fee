import { type CompiledRules, compileRules, type RuleSource } from '../cel/rules.js';
import { isObject, type Json, type JsonObject } from '../json.js';
import { compileChecks, entries, KEYWORDS, type ValueChecks } from './checks.js';
import { SchemaError } from './schema-error.js';

const TYPES = new Set(['object', 'array', 'string', 'integer', 'number', 'boolean']);

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

import { Environment, Optional } from '@marcbachmann/cel-js';
import { deepEqual, isObject, type Json, type JsonObject } from '../json.js';
import type { SchemaNode } from '../schema/structural.js';

/** The JSON that a CEL object was made of; equality of objects is equality of their JSON. */
const SOURCE = Symbol('json');

class TypedObject {
  readonly [SOURCE]: JsonObject;

  constructor(source: JsonObject) {
    this[SOURCE] = source;
  }
}

/** What a schema node is in CEL: the type that rules are checked against, and the way from JSON to a value of it. */
export interface CelType {
  readonly name: string;
  convert(value: Json): unknown;
}

/** Of the metadata, the API server shows rules only these. */
const METADATA_FIELDS = ['name', 'generateName'];

/**
 * Declares the type of `node` and of all within it in `environment`. Declared types make a misspelt field an
 * error when the CRD is loaded, as in a cluster, not when the first object comes along.
 */
export function declareType(
  environment: Environment,
  node: Omit<SchemaNode, 'rules'>,
  name: string,
  root: boolean,
): CelType {
  if (node.intOrString || node.type === undefined) return { name: 'dyn', convert: toDynamic };
  switch (node.type) {
    case 'boolean':
      return { name: 'bool', convert: (value) => value };
    case 'integer':
      return { name: 'int', convert: (value) => BigInt(value as number) };
    case 'number':
      return { name: 'double', convert: (value) => value };
    case 'string':
      return stringType(node.format);
    case 'array':
      return listType(environment, node, name);
    case 'object':
      if (node.additional === undefined) return objectType(environment, node, name, root);
      return mapType(environment, node.additional, name);
  }
}

/** From its text, as the language itself reads it. */
const durationOf = new Environment().registerVariable('text', 'string').parse('duration(text)');

function stringType(format: string | undefined): CelType {
  if (format === 'date-time' || format === 'date') {
    return { name: 'google.protobuf.Timestamp', convert: (value) => new Date(value as string) };
  }
  if (format === 'duration') {
    return { name: 'google.protobuf.Duration', convert: (text) => durationOf({ text }) };
  }
  if (format === 'byte') return { name: 'bytes', convert: (value) => Buffer.from(value as string, 'base64') };
  return { name: 'string', convert: (value) => value };
}

function listType(environment: Environment, node: Omit<SchemaNode, 'rules'>, name: string): CelType {
  if (node.items === undefined) return { name: 'list<dyn>', convert: toDynamic };
  const item = declareType(environment, node.items, `${name}Item`, false);
  return {
    name: `list<${item.name}>`,
    convert: (value) => (value as Json[]).map((inner) => item.convert(inner)),
  };
}

function mapType(environment: Environment, additional: SchemaNode | true, name: string): CelType {
  if (additional === true) return { name: 'map<string, dyn>', convert: toDynamic };
  const inner = declareType(environment, additional, `${name}Value`, false);
  const convert = (value: Json) =>
    new Map(Object.entries(value as JsonObject).map(([key, item]) => [key, inner.convert(item)]));
  return { name: `map<string, ${inner.name}>`, convert };
}

function objectType(
  environment: Environment,
  node: Omit<SchemaNode, 'rules'>,
  name: string,
  root: boolean,
): CelType {
  const fields = new Map<string, { property: string; type: CelType }>();
  for (const [property, inner] of node.properties) {
    const identifier = escapeName(property);
    if (identifier === undefined || (root && RESOURCE.has(property))) continue;
    fields.set(identifier, {
      property,
      type: declareType(environment, inner, `${name}_${identifier}`, false),
    });
  }
  if (root || node.embeddedResource) {
    const text: CelType = { name: 'string', convert: (value) => value };
    fields.set('apiVersion', { property: 'apiVersion', type: text });
    fields.set('kind', { property: 'kind', type: text });
    const metadata = declareObject(
      environment,
      `${name}_metadata`,
      new Map(METADATA_FIELDS.map((field) => [field, { property: field, type: text }])),
    );
    fields.set('metadata', { property: 'metadata', type: metadata });
  }
  return declareObject(environment, name, fields);
}

const RESOURCE = new Set(['apiVersion', 'kind', 'metadata']);

function declareObject(
  environment: Environment,
  name: string,
  fields: ReadonlyMap<string, { property: string; type: CelType }>,
): CelType {
  const ctor = class extends TypedObject {};
  const types = Object.fromEntries([...fields].map(([identifier, { type }]) => [identifier, type.name]));
  environment.registerType(name, { ctor, fields: types });
  environment.registerOperator(`${name} == ${name}`, (a: TypedObject, b: TypedObject) =>
    deepEqual(a[SOURCE], b[SOURCE]),
  );
  return {
    name,
    convert: (value) => {
      const source = isObject(value) ? value : {};
      const object = new ctor(source);
      for (const [identifier, { property, type }] of fields) {
        const inner = source[property];
        // A field that is not there must not be an own property, or has() would be true.
        if (inner !== undefined && inner !== null)
          Object.assign(object, { [identifier]: type.convert(inner) });
      }
      return object;
    },
  };
}

function toDynamic(value: Json): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(toDynamic);
  if (isObject(value)) return new Map(Object.entries(value).map(([key, inner]) => [key, toDynamic(inner)]));
  return value;
}

/** `oldSelf` of a rule with optionalOldSelf. */
export function optionalOf(value: unknown): Optional {
  return value === undefined ? Optional.none() : Optional.of(value);
}

const RESERVED = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

/** Property names as CEL identifiers, the way Kubernetes escapes them; undefined = cannot be named in a rule. */
export function escapeName(name: string): string | undefined {
  if (RESERVED.has(name)) return `__${name}__`;
  const escaped = name
    .replaceAll('__', '__underscores__')
    .replaceAll('.', '__dot__')
    .replaceAll('-', '__dash__')
    .replaceAll('/', '__slash__');
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(escaped) ? escaped : undefined;
}

import { badRequest } from '../api-error.js';
import { isObject, type Json, type JsonObject } from '../json.js';
import { builtinSchema, schemaOfKind } from '../openapi/builtin.js';
import type { ApiObject, Kind, KindRules } from './kind.js';

/** Fields that have readers of their own. */
const READ_ELSEWHERE = new Set(['apiVersion', 'kind', 'metadata']);
/** Written as text or as a number, whatever their schema says. */
const LOOSE = new Set([
  'io.k8s.apimachinery.pkg.api.resource.Quantity',
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
]);
const ANYTHING = new Set([
  'io.k8s.apimachinery.pkg.runtime.RawExtension',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON',
]);

/** Rules of a built-in kind that first read an object as its Go type: unknown fields out, wrong types a 400. */
export function typedRules(kind: Kind): KindRules {
  const { admit } = kind.rules;
  return {
    ...kind.rules,
    admit: (object, unknown) => {
      const read = readAs(kind, object, unknown);
      return admit?.(read, unknown) ?? read;
    },
  };
}

function readAs(kind: Kind, object: ApiObject, unknown: string[]): ApiObject {
  // Kept in another form than it is sent in: that form was brought about by then.
  const group = kind.storage.slice(0, kind.storage.indexOf('/'));
  const schema = schemaOfKind(group, kind.version, kind.kind);
  const reader = new Reader(kind, unknown);
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  const result: JsonObject = {};
  for (const [name, value] of Object.entries(object)) {
    const property = properties[name];
    if (READ_ELSEWHERE.has(name)) result[name] = value;
    else if (isObject(property)) result[name] = reader.read(property, value, name);
    else unknown.push(name);
  }
  return result as ApiObject;
}

class Reader {
  readonly #kind: Kind;
  readonly #unknown: string[];

  constructor(kind: Kind, unknown: string[]) {
    this.#kind = kind;
    this.#unknown = unknown;
  }

  read(schema: JsonObject, value: Json, path: string): Json {
    const name = refOf(schema);
    if (name !== undefined) {
      if (ANYTHING.has(name) || LOOSE.has(name)) return value;
      const target = builtinSchema(name);
      return target === undefined ? value : this.read(target, value, path);
    }
    switch (schema['type']) {
      case 'object':
        return this.#object(schema, value, path);
      case 'array':
        return this.#array(schema, value, path);
      case 'string':
        return typeof value === 'string' ? value : this.#refuse(value, path, 'string');
      case 'boolean':
        return typeof value === 'boolean' ? value : this.#refuse(value, path, 'bool');
      case 'integer':
        return Number.isInteger(value)
          ? value
          : this.#refuse(value, path, String(schema['format'] ?? 'int64'));
      case 'number':
        return typeof value === 'number' ? value : this.#refuse(value, path, 'float64');
      default:
        return value;
    }
  }

  #object(schema: JsonObject, value: Json, path: string): Json {
    if (!isObject(value)) return this.#refuse(value, path, 'map');
    const properties = isObject(schema['properties']) ? schema['properties'] : undefined;
    const additional = schema['additionalProperties'];
    const result: JsonObject = {};
    for (const [name, inner] of Object.entries(value)) {
      // A null is the same as nothing to a Go decoder.
      if (inner === null) continue;
      const property = properties?.[name];
      const at = `${path}.${name}`;
      if (isObject(property)) result[name] = this.read(property, inner, at);
      else if (isObject(additional)) result[name] = this.#value(additional, inner, path);
      else if (properties === undefined) result[name] = inner;
      else this.#unknown.push(at);
    }
    return result;
  }

  /** A map's entries are not named in what is said about their types. */
  #value(schema: JsonObject, value: Json, path: string): Json {
    return this.read(schema, value, path);
  }

  #array(schema: JsonObject, value: Json, path: string): Json {
    if (!Array.isArray(value)) return this.#refuse(value, path, 'array');
    const { items } = schema;
    return isObject(items) ? value.map((item, index) => this.read(items, item, `${path}[${index}]`)) : value;
  }

  #refuse(value: Json, path: string, expected: string): never {
    const { kind, version } = this.#kind;
    const given = Array.isArray(value)
      ? 'array'
      : isObject(value)
        ? 'object'
        : typeof value === 'boolean'
          ? 'bool'
          : typeof value;
    const field = path.replaceAll(/\[\d+\]/g, '');
    throw badRequest(
      `${kind} in version "${version}" cannot be handled as a ${kind}: json: cannot unmarshal ${given} into Go struct field ${kind}.${field} of type ${expected}`,
    );
  }
}

function refOf(schema: JsonObject): string | undefined {
  const [only, ...more] = Array.isArray(schema['allOf']) ? schema['allOf'] : [];
  const ref = schema['$ref'] ?? (more.length === 0 && isObject(only) ? only['$ref'] : undefined);
  return typeof ref === 'string' ? ref.slice(ref.lastIndexOf('/') + 1) : undefined;
}

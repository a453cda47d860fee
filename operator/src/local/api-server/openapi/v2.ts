import { isObject, type Json, type JsonObject } from '../json.js';
import type { Kind } from '../kinds/kind.js';
import { builtinDocuments, schemasOf } from './builtin.js';
import { publishedSchema, schemaName } from './custom.js';
import { PATCH_TYPES } from './operations.js';
import { Message } from './wire.js';

/**
 * OpenAPI v2 as a gnostic Document (github.com/google/gnostic-models/openapiv2/OpenAPIv2.proto): kubectl asks for it
 * before it patches, to learn which kinds of patches each kind takes. Schemas as in v3, with v2's references.
 */
export function encodeV2(kinds: readonly Kind[]): Buffer {
  const schemas = new Map<string, JsonObject>();
  for (const document of builtinDocuments().values()) {
    for (const [name, schema] of Object.entries(schemasOf(document)))
      if (isObject(schema)) schemas.set(name, schema);
  }
  for (const kind of kinds) if (kind.isCustom) schemas.set(schemaName(kind), publishedSchema(kind));

  const info = new Message().text(1, 'Kubernetes').text(2, 'v1.36.3');
  const paths = new Message();
  for (const kind of kinds) paths.message(2, namedMessage(objectPath(kind), pathItem(kind)));
  return new Message().text(1, '2.0').message(2, info).message(8, paths).message(9, named(schemas)).encode();
}

function objectPath({ group, version, namespaced, plural }: Kind): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  return `${root}${namespaced ? '/namespaces/{namespace}' : ''}/${plural}/{name}`;
}

function pathItem({ group, version, kind }: Kind): Message {
  const extensions = {
    'x-kubernetes-action': 'patch',
    'x-kubernetes-group-version-kind': { group, kind, version },
  };
  const patch = new Message().texts(7, PATCH_TYPES);
  for (const [name, value] of Object.entries(extensions)) patch.message(13, namedMessage(name, any(value)));
  return new Message().message(8, patch);
}

function schema(source: JsonObject): Message {
  const ref = refOf(source);
  const message = new Message();
  if (ref !== undefined) return message.text(1, `#/definitions/${ref}`).text(4, source['description']);
  const { properties, items, additionalProperties } = source;
  message
    .text(2, source['format'])
    .text(4, source['description'])
    .number(7, source['maximum'])
    .number(9, source['minimum'])
    .integer(11, source['maxLength'])
    .integer(12, source['minLength'])
    .text(13, source['pattern'])
    .integer(14, source['maxItems'])
    .integer(15, source['minItems'])
    .texts(19, source['required']);
  if (source['default'] !== undefined) message.message(5, any(source['default']));
  for (const value of Array.isArray(source['enum']) ? source['enum'] : []) message.message(20, any(value));
  if (isObject(additionalProperties))
    message.message(21, new Message().message(1, schema(additionalProperties)));
  if (typeof source['type'] === 'string') message.message(22, new Message().text(1, source['type']));
  if (isObject(items)) message.message(23, new Message().message(1, schema(items)));
  if (isObject(properties)) {
    const inner = Object.entries(properties).filter((entry): entry is [string, JsonObject] =>
      isObject(entry[1]),
    );
    message.message(25, named(new Map(inner)));
  }
  for (const [name, value] of Object.entries(source)) {
    if (name.startsWith('x-kubernetes-')) message.message(31, namedMessage(name, any(value)));
  }
  return message;
}

/** v3 wraps references that have a description or a default. */
function refOf(source: JsonObject): string | undefined {
  const [only, ...more] = Array.isArray(source['allOf']) ? source['allOf'] : [];
  const ref = source['$ref'] ?? (more.length === 0 && isObject(only) ? only['$ref'] : undefined);
  return typeof ref === 'string' ? ref.slice(ref.lastIndexOf('/') + 1) : undefined;
}

/** Definitions and Properties alike: repeated NamedSchema. */
function named(schemas: ReadonlyMap<string, JsonObject>): Message {
  const message = new Message();
  for (const [name, value] of schemas) message.message(1, namedMessage(name, schema(value)));
  return message;
}

function namedMessage(name: string, value: Message): Message {
  return new Message().text(1, name).message(2, value);
}

/** Any value, as YAML, of which JSON is a part. */
function any(value: Json): Message {
  return new Message().text(2, JSON.stringify(value));
}

import { isObject, type Json, type JsonObject } from '../json.js';
import type { Kind } from '../kinds/kind.js';
import { builtinSchema, OBJECT_META } from './builtin.js';
import { operationsOf } from './operations.js';

const LIST_META_TEXT =
  'Standard list metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds';
const LIST_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta';

/** OpenAPI v3 of a group and version whose kinds come from definitions. */
export function customDocument(kinds: readonly Kind[]): JsonObject {
  const schemas: JsonObject = {};
  const paths: JsonObject = {};
  for (const kind of kinds) {
    const name = schemaName(kind);
    schemas[name] = publishedSchema(kind);
    schemas[`${name}List`] = listSchema(kind, name);
    Object.assign(paths, operationsOf(kind, name));
  }
  for (const name of [OBJECT_META, LIST_META]) addWithReferences(name, schemas);
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes CRD Swagger', version: 'v0.1.0' },
    paths,
    components: { schemas },
  };
}

/** The group turned round: dev.flashpod.trading.v1alpha1.TradingStrategy. */
export function schemaName({ group, version, kind }: Kind): string {
  return `${group.split('.').reverse().join('.')}.${version}.${kind}`;
}

/** The schema of a definition with what every object has. */
export function publishedSchema(kind: Kind): JsonObject {
  const schema = kind.schema ?? {};
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  return {
    ...schema,
    properties: { ...properties, ...typeMeta(), metadata: reference(OBJECT_META, metadataText()) },
    'x-kubernetes-group-version-kind': [kindEntry(kind, kind.kind)],
    ...selectableFields(kind),
  };
}

function selectableFields({ selectable }: Kind): JsonObject {
  if (selectable.size === 0) return {};
  return {
    'x-kubernetes-selectable-fields': [...selectable.keys()].map((fieldPath): JsonObject => ({ fieldPath })),
  };
}

function listSchema(kind: Kind, item: string): JsonObject {
  return {
    description: `${kind.listKind} is a list of ${kind.kind}`,
    type: 'object',
    required: ['items'],
    properties: {
      ...typeMeta(),
      items: {
        description: `List of ${kind.plural}. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md`,
        type: 'array',
        items: { $ref: `#/components/schemas/${item}` },
      },
      metadata: reference(LIST_META, LIST_META_TEXT),
    },
    'x-kubernetes-group-version-kind': [kindEntry(kind, kind.listKind)],
    ...selectableFields(kind),
  };
}

function kindEntry({ group, version }: Kind, kind: string): JsonObject {
  return { group, kind, version };
}

function reference(name: string, description: string): JsonObject {
  return { description, allOf: [{ $ref: `#/components/schemas/${name}` }] };
}

/** apiVersion and kind, in the words that the documentation of every kind uses. */
function typeMeta(): JsonObject {
  const properties = propertiesOf('io.k8s.api.core.v1.ConfigMap');
  return { apiVersion: properties['apiVersion'] ?? {}, kind: properties['kind'] ?? {} };
}

function metadataText(): string {
  const { metadata } = propertiesOf('io.k8s.api.core.v1.ConfigMap');
  return isObject(metadata) ? String(metadata['description'] ?? '') : '';
}

function propertiesOf(name: string): JsonObject {
  const properties = builtinSchema(name)?.['properties'];
  return isObject(properties) ? properties : {};
}

function addWithReferences(name: string, schemas: JsonObject): void {
  const schema = builtinSchema(name);
  if (schemas[name] !== undefined || schema === undefined) return;
  schemas[name] = schema;
  for (const inner of references(schema)) addWithReferences(inner, schemas);
}

function references(value: Json): string[] {
  if (Array.isArray(value)) return value.flatMap(references);
  if (!isObject(value)) return [];
  const { $ref } = value;
  const own = typeof $ref === 'string' ? [$ref.slice($ref.lastIndexOf('/') + 1)] : [];
  return [...own, ...Object.values(value).flatMap(references)];
}

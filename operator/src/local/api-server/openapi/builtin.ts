import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { DEDUCED, type FieldType, fieldTypeOf, UNTYPED } from '../fields/field-type.js';
import { isObject, type Json, type JsonObject } from '../json.js';

/**
 * What the real API server publishes about Kubernetes' own kinds, cut down to what is served here. Taken from it
 * while the transcript of kubectl is recorded (scripts/kubectl-transcript.ts).
 */
const FILE = fileURLToPath(new URL('../../../../openapi/builtin.generated.json.gz', import.meta.url));

export const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity';
const RAW = 'io.k8s.apimachinery.pkg.runtime.RawExtension';

let documents: ReadonlyMap<string, JsonObject> | undefined;
const types = new Map<string, FieldType>();

/** By name: `api/v1`, `apis/apps/v1`. Read when first asked for: most runs never are. */
export function builtinDocuments(): ReadonlyMap<string, JsonObject> {
  documents ??= new Map(
    Object.entries(JSON.parse(gunzipSync(readFileSync(FILE)).toString('utf8')) as Record<string, JsonObject>),
  );
  return documents;
}

export function builtinSchema(name: string): JsonObject | undefined {
  for (const document of builtinDocuments().values()) {
    const schema = schemasOf(document)[name];
    if (isObject(schema)) return schema;
  }
  return undefined;
}

/** The schema of a kind. */
export function schemaOfKind(group: string, version: string, kind: string): JsonObject {
  const document = builtinDocuments().get(group === '' ? `api/${version}` : `apis/${group}/${version}`);
  for (const schema of Object.values(schemasOf(document ?? {}))) {
    if (!isObject(schema)) continue;
    const [only, ...more] = listOf(schema['x-kubernetes-group-version-kind']);
    if (more.length > 0 || !isObject(only)) continue;
    if (only['group'] === group && only['version'] === version && only['kind'] === kind) return schema;
  }
  throw new Error(`${FILE} has no schema of ${group}/${version} ${kind}`);
}

/** How the parts of a named schema are owned. */
export function builtinType(name: string): FieldType {
  if (name === RAW) return UNTYPED;
  if (name === QUANTITY) return { scalar: true, map: undefined, list: undefined };
  const known = types.get(name);
  if (known !== undefined) return known;
  // Schemas may contain themselves: what is filled in below is found by then.
  const type: { -readonly [K in keyof FieldType]: FieldType[K] } = {
    scalar: false,
    map: undefined,
    list: undefined,
  };
  types.set(name, type);
  const schema = builtinSchema(name);
  return Object.assign(type, schema === undefined ? DEDUCED : fieldTypeOf(schema, builtinType));
}

export function schemasOf(document: JsonObject): JsonObject {
  const { components } = document;
  const schemas = isObject(components) ? components['schemas'] : undefined;
  return isObject(schemas) ? schemas : {};
}

function listOf(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}

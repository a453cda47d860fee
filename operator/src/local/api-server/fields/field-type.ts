import { isObject, type Json, type JsonObject } from '../json.js';

/** What a value may be, and how its parts are owned. */
export interface FieldType {
  readonly scalar: boolean;
  readonly map: MapType | undefined;
  readonly list: ListType | undefined;
}

export interface MapType {
  readonly fields: ReadonlyMap<string, FieldType>;
  /** What a declared field is that is left out. */
  readonly defaults: ReadonlyMap<string, Json>;
  /** Of entries that are no declared field; undefined where there may be none. */
  readonly element: FieldType | undefined;
  /** Owned as one. */
  readonly atomic: boolean;
}

export interface ListType {
  readonly element: FieldType;
  readonly relation: 'atomic' | 'set' | 'map';
  readonly keys: readonly string[];
}

const untyped: { -readonly [K in keyof FieldType]: FieldType[K] } = {
  scalar: true,
  map: undefined,
  list: undefined,
};
untyped.list = { element: untyped, relation: 'atomic', keys: [] };
untyped.map = { fields: new Map(), defaults: new Map(), element: untyped, atomic: true };
/** Anything, owned as one. */
export const UNTYPED: FieldType = untyped;

const deduced: { -readonly [K in keyof FieldType]: FieldType[K] } = { ...untyped };
deduced.map = { fields: new Map(), defaults: new Map(), element: deduced, atomic: false };
/** Anything; maps are owned entry by entry, lists as one. */
export const DEDUCED: FieldType = deduced;

const SCALAR: FieldType = { scalar: true, map: undefined, list: undefined };

/** A named schema, by the last part of its $ref. */
export type Resolve = (name: string) => FieldType;

/** Reads a schema as schemaconv of k8s.io/kube-openapi does. */
export function fieldTypeOf(schema: JsonObject, resolve: Resolve, inherited = false): FieldType {
  const preserve = inherited || schema['x-kubernetes-preserve-unknown-fields'] === true;
  switch (schema['type']) {
    case 'object':
      return { scalar: false, map: mapOf(schema, resolve, preserve), list: undefined };
    case 'array':
      return { scalar: false, map: undefined, list: listOf(schema, resolve, preserve) };
    case undefined:
      return {
        scalar: true,
        map: mapOf(schema, resolve, preserve),
        list: listOf(schema, resolve, preserve),
      };
    default:
      return SCALAR;
  }
}

function refOf(schema: JsonObject): string | undefined {
  const all = Array.isArray(schema['allOf']) && schema['allOf'].length === 1 ? schema['allOf'][0] : undefined;
  const ref = schema['$ref'] ?? (isObject(all) ? all['$ref'] : undefined);
  return typeof ref === 'string' ? ref.slice(ref.lastIndexOf('/') + 1) : undefined;
}

function innerType(schema: JsonObject, resolve: Resolve, preserve: boolean): FieldType {
  const name = refOf(schema);
  if (name === undefined) return fieldTypeOf(schema, resolve, preserve);
  const atomic = schema['x-kubernetes-map-type'];
  if (atomic === undefined) return resolve(name);
  const type = resolve(name);
  return type.map === undefined ? type : { ...type, map: { ...type.map, atomic: atomic === 'atomic' } };
}

function mapOf(schema: JsonObject, resolve: Resolve, preserve: boolean): MapType {
  const properties = isObject(schema['properties']) ? Object.entries(schema['properties']) : [];
  const fields = new Map(
    properties.flatMap(([name, inner]) =>
      isObject(inner) ? [[name, innerType(inner, resolve, preserve)] as const] : [],
    ),
  );
  const defaults = new Map(
    properties.flatMap(([name, inner]) =>
      isObject(inner) && inner['default'] !== undefined ? [[name, inner['default']] as const] : [],
    ),
  );
  const additional = schema['additionalProperties'];
  let element: FieldType | undefined;
  if (isObject(additional)) element = innerType(additional, resolve, preserve);
  else if (additional === true) element = DEDUCED;
  else if (additional === undefined && (preserve || fields.size === 0)) element = DEDUCED;
  return { fields, defaults, element, atomic: schema['x-kubernetes-map-type'] === 'atomic' };
}

function listOf(schema: JsonObject, resolve: Resolve, preserve: boolean): ListType {
  const items = schema['items'];
  const element = isObject(items) ? innerType(items, resolve, preserve) : UNTYPED;
  const { relation, keys } = relationOf(schema);
  return { element, relation, keys };
}

function relationOf(schema: JsonObject): Pick<ListType, 'relation' | 'keys'> {
  const type = schema['x-kubernetes-list-type'];
  if (type === 'set') return { relation: 'set', keys: [] };
  if (type === 'map')
    return { relation: 'map', keys: (schema['x-kubernetes-list-map-keys'] ?? []) as string[] };
  const strategy = String(schema['x-kubernetes-patch-strategy'] ?? '');
  if (type !== undefined || !strategy.split(',').includes('merge')) return { relation: 'atomic', keys: [] };
  const key = schema['x-kubernetes-patch-merge-key'];
  return typeof key === 'string' ? { relation: 'map', keys: [key] } : { relation: 'set', keys: [] };
}

import { timestamp } from '../../../kube/conditions.js';
import { type FieldError, fieldError } from '../field-errors.js';
import { type FieldType, fieldTypeOf } from '../fields/field-type.js';
import { isObject, type Json, type JsonObject, stringAt } from '../json.js';
import { builtinType, OBJECT_META } from '../openapi/builtin.js';
import { admit } from '../schema/prune.js';
import { SchemaError } from '../schema/schema-error.js';
import { compileSchema, type SchemaNode } from '../schema/structural.js';
import { validate } from '../schema/validate.js';
import { customColumns } from '../table/custom-columns.js';
import { builtin } from './builtin.js';
import type { ApiObject, Kind, KindRules } from './kind.js';

/** The finalizer that keeps a definition until its objects are gone. */
export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';

export const crdRules: KindRules = {
  admit: (crd) => ({ ...crd, spec: defaultSpec(isObject(crd['spec']) ? crd['spec'] : {}) }),
  create: (crd) => ({
    ...crd,
    metadata: { ...crd.metadata, finalizers: [CLEANUP_FINALIZER] },
    status: establishedStatus(crd),
  }),
  validate: (crd) => {
    try {
      kindsOf(crd);
      return [];
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error;
      const colon = error.message.indexOf(': ');
      return [crdError(error.message.slice(0, colon), error.message.slice(colon + 2))];
    }
  },
  validateStatus: () => [],
  endsByContent: true,
};

const EMPTY_DEFINITION = {
  spec: { group: '', names: { plural: '', kind: '' }, scope: '', versions: null },
  status: { conditions: null, acceptedNames: { plural: '', kind: '' }, storedVersions: null },
};

export const crdKind: Kind = builtin({
  group: 'apiextensions.k8s.io',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  namespaced: false,
  hasStatus: true,
  hasGeneration: true,
  unconditionalUpdate: false,
  rules: crdRules,
  empty: EMPTY_DEFINITION,
});

/** In the order in which the real server names them. */
const CUSTOM_VERBS = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];

function defaultSpec(spec: JsonObject): JsonObject {
  const names = isObject(spec['names']) ? spec['names'] : {};
  const kind = typeof names['kind'] === 'string' ? names['kind'] : '';
  const filled = kind === '' ? names : { singular: kind.toLowerCase(), listKind: `${kind}List`, ...names };
  return {
    conversion: { strategy: 'None' },
    ...spec,
    ...(spec['names'] === undefined ? {} : { names: filled }),
  };
}

function crdError(field: string, problem: string): FieldError {
  return fieldError.invalidWhole(field, problem);
}

function establishedStatus(crd: ApiObject): JsonObject {
  const now = timestamp(new Date());
  const spec = crd['spec'] as JsonObject;
  const condition = (type: string, reason: string, message: string) => ({
    type,
    status: 'True',
    lastTransitionTime: now,
    reason,
    message,
  });
  return {
    acceptedNames: spec['names'] ?? {},
    storedVersions: versionsOf(spec)
      .filter((version) => version['storage'] === true)
      .map((version) => version['name'] ?? ''),
    conditions: [
      condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
      condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
    ],
  };
}

function versionsOf(spec: JsonObject): JsonObject[] {
  return Array.isArray(spec['versions']) ? spec['versions'].filter(isObject) : [];
}

/** The kinds a definition makes, one per served version. Throws SchemaError with the path of what is wrong. */
export function kindsOf(crd: ApiObject): Kind[] {
  const spec = crd['spec'];
  if (!isObject(spec)) throw new SchemaError('spec', 'is required');
  const group = required(spec, 'group', 'spec.group');
  const names = isObject(spec['names']) ? spec['names'] : {};
  const plural = required(names, 'plural', 'spec.names.plural');
  const kindName = required(names, 'kind', 'spec.names.kind');
  if (crd.metadata.name !== `${plural}.${group}`) {
    throw new SchemaError(
      'metadata.name',
      `must be spec.names.plural+"."+spec.group, "${plural}.${group}", is "${crd.metadata.name}"`,
    );
  }
  const scope = spec['scope'];
  if (scope !== 'Namespaced' && scope !== 'Cluster')
    throw new SchemaError('spec.scope', 'must be Namespaced or Cluster');
  if (stringAt(spec, 'conversion', 'strategy') === 'Webhook')
    throw new SchemaError('spec.conversion.strategy', 'must be None: there are no webhooks here');
  const versions = versionsOf(spec);
  if (versions.filter((version) => version['storage'] === true).length !== 1) {
    throw new SchemaError('spec.versions', 'must have exactly one version marked as storage version');
  }
  const kinds = versions.map((version, index): Kind => {
    const path = `spec.versions[${index}]`;
    const schema = isObject(version['schema']) ? version['schema']['openAPIV3Schema'] : undefined;
    if (schema === undefined) throw new SchemaError(`${path}.schema.openAPIV3Schema`, 'is required');
    const root = compileAt(schema, `${path}.schema.openAPIV3Schema`);
    const hasStatus = isObject(version['subresources']) && version['subresources']['status'] !== undefined;
    return {
      group,
      version: required(version, 'name', `${path}.name`),
      plural,
      singular: stringAt(names, 'singular') ?? kindName.toLowerCase(),
      kind: kindName,
      listKind: stringAt(names, 'listKind') ?? `${kindName}List`,
      shortNames: strings(names['shortNames']),
      categories: strings(names['categories']),
      namespaced: scope === 'Namespaced',
      verbs: CUSTOM_VERBS,
      isCustom: true,
      storage: `${group}/${plural}`,
      storageGroup: group,
      hasStatus,
      hasGeneration: true,
      unconditionalUpdate: false,
      nameIsLabel: false,
      selectable: selectableFields(version['selectableFields'], `${path}.selectableFields`),
      rules: customRules(root),
      columns: customColumns(version['additionalPrinterColumns'], `${path}.additionalPrinterColumns`),
      ...(isObject(schema) ? { schema } : {}),
      fields: customFields(isObject(schema) ? schema : {}),
      empty: {},
    };
  });
  return kinds.filter((_, index) => versions[index]?.['served'] === true);
}

/** Paths inside the schema are told relative to where it stands in the definition. */
function compileAt(schema: Json, path: string): SchemaNode {
  try {
    return compileSchema(schema, 'openAPIV3Schema');
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    const colon = error.message.indexOf(': ');
    throw new SchemaError(
      path + error.message.slice('openAPIV3Schema'.length, colon),
      error.message.slice(colon + 2),
    );
  }
}

/** As the definition says, with metadata as of every object. */
function customFields(schema: JsonObject): () => FieldType {
  let type: FieldType | undefined;
  return () => {
    if (type !== undefined) return type;
    const properties = isObject(schema['properties']) ? schema['properties'] : {};
    const metadata = { $ref: `#/components/schemas/${OBJECT_META}` };
    const text = { type: 'string' };
    const whole = { ...schema, properties: { ...properties, metadata, apiVersion: text, kind: text } };
    type = fieldTypeOf(whole, builtinType);
    return type;
  };
}

function customRules(root: SchemaNode): KindRules {
  return {
    admit: (object, unknown) => admit(root, object, '', unknown, true) as ApiObject,
    validate: (object, old) => validate(root, object, old),
  };
}

function selectableFields(fields: Json | undefined, path: string): Kind['selectable'] {
  const readers = new Map<string, (object: ApiObject) => string>();
  for (const [index, field] of (Array.isArray(fields) ? fields : []).entries()) {
    const jsonPath = isObject(field) ? stringAt(field, 'jsonPath') : undefined;
    if (jsonPath === undefined || !/^(\.[A-Za-z0-9_-]+)+$/.test(jsonPath)) {
      throw new SchemaError(
        `${path}[${index}].jsonPath`,
        'must be a simple path such as .spec.accountRef.name',
      );
    }
    const names = jsonPath.slice(1).split('.');
    readers.set(jsonPath.slice(1), (object) => {
      let here: Json | undefined = object;
      for (const name of names) here = isObject(here) ? here[name] : undefined;
      return here === undefined || here === null ? '' : String(here);
    });
  }
  return readers;
}

function required(object: JsonObject, name: string, path: string): string {
  const value = object[name];
  if (typeof value !== 'string' || value === '') throw new SchemaError(path, 'is required');
  return value;
}

function strings(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

import type { Json, JsonObject } from '../json.js';
import type { Kind } from '../kinds/kind.js';

/** The operations on a kind as OpenAPI v3 describes them: enough for kubectl to know what each accepts. */
export function operationsOf(kind: Kind, schema: string): JsonObject {
  const root = `/apis/${kind.group}/${kind.version}`;
  const collection = kind.namespaced
    ? `${root}/namespaces/{namespace}/${kind.plural}`
    : `${root}/${kind.plural}`;
  const describe = new Operations(kind, schema);
  return {
    ...(kind.namespaced ? { [`${root}/${kind.plural}`]: { get: describe.operation('list', LIST) } } : {}),
    [collection]: {
      get: describe.operation('list', LIST),
      post: describe.operation('post', WRITE, BODY),
      delete: describe.operation('deletecollection', [...LIST, ...DELETE]),
      ...describe.parameters(false),
    },
    [`${collection}/{name}`]: describe.object(true),
    ...(kind.hasStatus ? { [`${collection}/{name}/status`]: describe.object(false) } : {}),
  };
}

const BODY = ['application/json'];
export const PATCH_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/apply-patch+yaml',
];
const LIST = [
  ...['allowWatchBookmarks', 'continue', 'fieldSelector', 'labelSelector', 'limit', 'resourceVersion'],
  ...['resourceVersionMatch', 'sendInitialEvents', 'timeoutSeconds', 'watch'],
];
const WRITE = ['dryRun', 'fieldManager', 'fieldValidation'];
const DELETE = ['dryRun', 'gracePeriodSeconds', 'orphanDependents', 'propagationPolicy'];
const TYPES: Readonly<Record<string, string>> = {
  allowWatchBookmarks: 'boolean',
  sendInitialEvents: 'boolean',
  watch: 'boolean',
  force: 'boolean',
  orphanDependents: 'boolean',
  limit: 'integer',
  timeoutSeconds: 'integer',
  gracePeriodSeconds: 'integer',
};

class Operations {
  readonly #kind: Kind;
  readonly #schema: string;

  constructor(kind: Kind, schema: string) {
    this.#kind = kind;
    this.#schema = schema;
  }

  object(whole: boolean): JsonObject {
    return {
      get: this.operation('get', ['resourceVersion']),
      put: this.operation('put', WRITE, BODY),
      ...(whole ? { delete: this.operation('delete', DELETE) } : {}),
      patch: this.operation('patch', [...WRITE, 'force'], PATCH_TYPES),
      ...this.parameters(true),
    };
  }

  parameters(named: boolean): JsonObject {
    const path = [...(this.#kind.namespaced ? ['namespace'] : []), ...(named ? ['name'] : [])];
    const inPath = path.map((name): JsonObject => ({ ...parameter(name), in: 'path', required: true }));
    return { parameters: [...inPath, parameter('pretty')] };
  }

  operation(action: string, query: readonly string[], body: readonly string[] = []): JsonObject {
    const { group, version, kind } = this.#kind;
    const ref: JsonObject = { $ref: `#/components/schemas/${this.#schema}` };
    const content = (types: readonly string[]): JsonObject =>
      Object.fromEntries(
        types.map((type): [string, Json] => [type, { schema: body === PATCH_TYPES ? {} : ref }]),
      );
    return {
      'x-kubernetes-action': action,
      'x-kubernetes-group-version-kind': { group, kind, version },
      parameters: query.map(parameter),
      ...(body.length === 0 ? {} : { requestBody: { content: content(body) } }),
      responses: { '200': { description: 'OK', content: { 'application/json': { schema: ref } } } },
    };
  }
}

function parameter(name: string): JsonObject {
  return { name, in: 'query', schema: { type: TYPES[name] ?? 'string', uniqueItems: true } };
}

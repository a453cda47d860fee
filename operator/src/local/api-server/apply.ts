import { ApiError, badRequest, invalidOptions } from './api-error.js';
import { apiVersionOf } from './decode.js';
import { fieldError } from './field-errors.js';
import { compare } from './fields/compare.js';
import type { Manager, Managers } from './fields/managed.js';
import { ownedBy } from './fields/owned.js';
import { type Author, applied, FieldConflicts } from './fields/ownership.js';
import { showPath } from './fields/path.js';
import { checkFits } from './fields/validate-type.js';
import { FieldTypeError } from './fields/walk.js';
import { isObject, type Json, type JsonObject, stringAt } from './json.js';
import type { ApiObject, Kind } from './kinds/kind.js';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
/** The name under which kubectl applies; for it, and only for it, client-side apply is taken over. */
const KUBECTL = 'kubectl';

export interface Applied {
  readonly object: JsonObject;
  readonly managers: Managers;
}

/** Server-side apply: `configuration` laid over `live`, as far as nobody else objects. */
export function applyConfiguration(
  kind: Kind,
  live: ApiObject | undefined,
  configuration: ApiObject,
  author: Author,
  force: boolean,
): Applied {
  try {
    return synchronised(live, configuration, author, applied(live, kind.empty, configuration, author, force));
  } catch (error) {
    if (!(error instanceof FieldConflicts)) throw error;
    const rest = live === undefined ? error.conflicts : unexpected(live, author, error);
    if (rest.length === 0)
      return synchronised(
        live,
        configuration,
        author,
        applied(live, kind.empty, configuration, author, true),
      );
    throw conflictError(new FieldConflicts(rest));
  }
}

/** The body of an apply, checked. */
export function readConfiguration(
  kind: Kind,
  namespace: string | undefined,
  name: string,
  body: Json,
  manager: string,
): ApiObject {
  if (manager === '')
    throw invalidOptions('PatchOptions', fieldError.required('fieldManager', 'is required for apply patch'));
  if (!isObject(body)) throw badRequest('the body of an apply must be an object');
  const apiVersion = apiVersionOf(kind);
  if (body['apiVersion'] !== apiVersion || body['kind'] !== kind.kind)
    throw badRequest(
      `Incorrect version specified in apply patch. Specified patch version: ${String(body['apiVersion'] ?? '')}, expected: ${apiVersion}`,
    );
  const metadata = isObject(body['metadata']) ? body['metadata'] : {};
  if (metadata['managedFields'] !== undefined && metadata['managedFields'] !== null)
    throw badRequest('metadata.managedFields must be nil');
  if (metadata['name'] !== undefined && metadata['name'] !== name)
    throw badRequest(
      `the name of the object (${String(metadata['name'])}) does not match the name on the URL (${name})`,
    );
  try {
    checkFits(kind.fields(), body);
  } catch (error) {
    if (!(error instanceof FieldTypeError)) throw error;
    const identity = `${namespace ?? ''}/${name}; ${kind.group === '' ? '/' : ''}${apiVersion}, Kind=${kind.kind}`;
    throw new ApiError(500, '', `failed to create typed patch object (${identity}): ${error.message}`);
  }
  return { ...body, apiVersion, kind: kind.kind, metadata: { ...metadata, name } };
}

/** The conflicts that are left when kubectl takes over from its own client-side apply. */
function unexpected(
  live: ApiObject,
  author: Author,
  { conflicts }: FieldConflicts,
): FieldConflicts['conflicts'] {
  if (author.manager !== KUBECTL) return conflicts;
  const text = lastApplied(live);
  if (text === undefined) return conflicts;
  let former: Json;
  try {
    former = JSON.parse(text) as Json;
  } catch {
    return conflicts;
  }
  if (!isObject(former) || former['apiVersion'] !== author.apiVersion) return conflicts;
  const { added, modified, removed } = compare(author.type, former, live);
  const own = ownedBy(author.type, former).difference(modified).difference(added).difference(removed);
  return conflicts.filter(({ path }) => !own.has(path));
}

/** Keeps the annotation of client-side apply what it would be. */
function synchronised(
  live: ApiObject | undefined,
  configuration: ApiObject,
  author: Author,
  result: Applied,
): Applied {
  if (author.manager !== KUBECTL || live === undefined || lastApplied(live) === undefined) return result;
  const metadata = isObject(result.object['metadata']) ? result.object['metadata'] : {};
  const annotations = isObject(metadata['annotations']) ? metadata['annotations'] : {};
  if (annotations[LAST_APPLIED] === undefined) return result;
  const text = `${JSON.stringify(sorted(configuration))}\n`;
  return {
    ...result,
    object: {
      ...result.object,
      metadata: { ...metadata, annotations: { ...annotations, [LAST_APPLIED]: text } },
    },
  };
}

function lastApplied(object: ApiObject): string | undefined {
  return stringAt(object, 'metadata', 'annotations', LAST_APPLIED);
}

/** As Go writes a map: keys in order. */
function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key] ?? null)]),
  );
}

function conflictError({ conflicts }: FieldConflicts): ApiError {
  const causes = conflicts.map(({ manager, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${describe(manager)}`,
    field: showPath(path),
  }));
  return new ApiError(409, 'Conflict', conflictText(conflicts), { causes });
}

function conflictText(conflicts: FieldConflicts['conflicts']): string {
  const [first] = conflicts;
  if (conflicts.length === 1 && first !== undefined)
    return `Apply failed with 1 conflict: conflict with ${describe(first.manager)}: ${showPath(first.path)}`;
  const managers = [...new Set(conflicts.map(({ manager }) => describe(manager)))].sort();
  const lines = managers.flatMap((manager) => [
    `conflicts with ${manager}:`,
    ...conflicts
      .filter((conflict) => describe(conflict.manager) === manager)
      .map(({ path }) => `- ${showPath(path)}`),
  ]);
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`;
}

function describe({ name, operation, apiVersion, subresource }: Manager): string {
  const who =
    JSON.stringify(name) + (subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`);
  return operation === 'Update' ? `${who} using ${apiVersion}` : who;
}

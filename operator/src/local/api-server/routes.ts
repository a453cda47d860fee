import type { Api, WriteOptions, WriteResult } from './api.js';
import {
  ApiError,
  badRequest,
  methodNotAllowed,
  qualified,
  unsupportedMediaType,
  versionTooLarge,
} from './api-error.js';
import { apiVersionOf } from './decode.js';
import type { Call, Reply } from './http-server.js';
import { isObject, type Json, stringAt } from './json.js';
import type { Kind } from './kinds/kind.js';
import { decodeSegment, discover, type Location, locate } from './paths.js';
import { serveWatch } from './watch.js';

const JSON_TYPE = ['application/json'];
const MERGE_PATCH = ['application/merge-patch+json'];

/** Undefined when the response is a stream of its own. */
export async function route(api: Api, call: Call): Promise<Reply | undefined> {
  const parts = call.path
    .split('/')
    .filter((part) => part !== '')
    .map(decodeSegment);
  const discovered =
    call.method === 'GET' ? discover(api, parts, call.response.req.headers.host ?? '') : undefined;
  if (discovered !== undefined) return { status: 200, body: discovered };
  return resource(api, call, locate(api, parts));
}

async function resource(api: Api, call: Call, location: Location): Promise<Reply | undefined> {
  const { kind, name, subresource } = location;
  if (name === undefined) return collection(api, call, location);
  if (subresource !== undefined) return child(api, call, { ...location, name }, subresource);
  const { namespace } = location;
  switch (call.method) {
    case 'GET':
      return { status: 200, body: api.get(kind, namespace, name) };
    case 'PUT':
      return written(
        200,
        api.replace(kind, namespace, name, await body(call, JSON_TYPE), writeOptions(call)),
      );
    case 'PATCH':
      return patch(api, call, { ...location, name }, false);
    case 'DELETE':
      return remove(api, call, { ...location, name });
    default:
      throw methodNotAllowed(kind, call.method, 'GET, PUT, PATCH and DELETE on an object');
  }
}

async function collection(api: Api, call: Call, { kind, namespace }: Location): Promise<Reply | undefined> {
  switch (call.method) {
    case 'GET':
      if (isTrue(call.query.get('watch'))) {
        serveWatch(api, kind, namespace, call.query, call.response);
        return undefined;
      }
      return list(api, call, kind, namespace);
    case 'POST':
      if (kind.namespaced && namespace === undefined)
        throw badRequest(`${qualified(kind)} are namespaced: POST to /namespaces/NAMESPACE/${kind.plural}`);
      return written(201, api.create(kind, namespace, await body(call, JSON_TYPE), writeOptions(call)));
    default:
      throw methodNotAllowed(
        kind,
        call.method === 'DELETE' ? 'deletecollection' : call.method,
        'GET (list, watch) and POST on a collection; delete objects one by one',
      );
  }
}

function list(api: Api, call: Call, kind: Kind, namespace: string | undefined): Reply {
  const { query } = call;
  const asked = query.get('resourceVersion') ?? '';
  if (query.get('resourceVersionMatch') === 'Exact')
    throw badRequest(
      'resourceVersionMatch=Exact is not supported: old states are not kept; leave it out for the newest',
    );
  if (!/^[0-9]*$/.test(asked))
    throw badRequest(`resourceVersion must be one that a list or object carried, got "${asked}"`);
  if (Number(asked) > api.storage.version) throw versionTooLarge(Number(asked), api.storage.version);
  const page = api.list(kind, namespace, query);
  const metadata = {
    resourceVersion: page.version,
    ...(page.continue === undefined ? {} : { continue: page.continue, remainingItemCount: page.remaining }),
  };
  return {
    status: 200,
    body: { kind: kind.listKind, apiVersion: apiVersionOf(kind), metadata, items: page.items },
  };
}

async function child(
  api: Api,
  call: Call,
  location: Location & { name: string },
  subresource: string,
): Promise<Reply> {
  const { kind, namespace, name } = location;
  if (
    subresource === 'binding' &&
    kind.plural === 'pods' &&
    call.method === 'POST' &&
    namespace !== undefined
  ) {
    api.bindPod(kind, namespace, name, await body(call, JSON_TYPE));
    return {
      status: 201,
      body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 },
    };
  }
  if (subresource !== 'status' || !kind.hasStatus) {
    const accepted = [...(kind.hasStatus ? ['status'] : []), ...(kind.plural === 'pods' ? ['binding'] : [])];
    const known = accepted.length === 0 ? 'no subresource here' : `here only ${accepted.join(' and ')}`;
    throw new ApiError(
      404,
      'NotFound',
      `${qualified(kind)} "${name}" has no subresource "${subresource}": the embedded API server serves ${known}`,
    );
  }
  switch (call.method) {
    case 'GET':
      return { status: 200, body: api.get(kind, namespace, name) };
    case 'PUT':
      return written(
        200,
        api.replaceStatus(kind, namespace, name, await body(call, JSON_TYPE), writeOptions(call)),
      );
    case 'PATCH':
      return patch(api, call, location, true);
    default:
      throw methodNotAllowed(kind, call.method, 'GET, PUT and PATCH on status');
  }
}

async function patch(
  api: Api,
  call: Call,
  { kind, namespace, name }: Location & { name: string },
  status: boolean,
): Promise<Reply> {
  const content = await call.body(MERGE_PATCH);
  if (content === undefined) throw badRequest('a patch needs a body');
  return written(200, api.patch(kind, namespace, name, content, status, writeOptions(call)));
}

async function remove(
  api: Api,
  call: Call,
  { kind, namespace, name }: Location & { name: string },
): Promise<Reply> {
  const options = (await call.body(JSON_TYPE)) ?? {};
  const propagation =
    stringAt(options, 'propagationPolicy') ?? call.query.get('propagationPolicy') ?? 'Background';
  if (propagation !== 'Background' || (isObject(options) && options['orphanDependents'] !== undefined)) {
    const problem = `propagationPolicy: Unsupported value: "${propagation}": supported values: "Background"`;
    const causes = [{ reason: 'FieldValueNotSupported', field: 'propagationPolicy', message: problem }];
    throw new ApiError(422, 'Invalid', `DeleteOptions.meta.k8s.io "" is invalid: ${problem}`, {
      group: 'meta.k8s.io',
      kind: 'DeleteOptions',
      causes,
    });
  }
  const uid = stringAt(options, 'preconditions', 'uid');
  const resourceVersion = stringAt(options, 'preconditions', 'resourceVersion');
  const grace = graceOf(options, call.query);
  const { object, gone } = api.delete(kind, namespace, name, {
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(grace === undefined ? {} : { graceSeconds: grace }),
    dryRun: dryRun(call),
  });
  if (!gone) return { status: 200, body: object };
  const details = {
    name,
    ...(kind.group === '' ? {} : { group: kind.group }),
    kind: kind.plural,
    uid: object.metadata['uid'],
  };
  return {
    status: 200,
    body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details },
  };
}

function graceOf(options: Json, query: URLSearchParams): number | undefined {
  const fromBody = isObject(options) ? options['gracePeriodSeconds'] : undefined;
  const value =
    fromBody ?? (query.has('gracePeriodSeconds') ? Number(query.get('gracePeriodSeconds')) : undefined);
  if (value === undefined) return undefined;
  if (!Number.isInteger(value) || Number(value) < 0)
    throw badRequest(`gracePeriodSeconds must be an integer of at least 0, got ${JSON.stringify(value)}`);
  return Number(value);
}

async function body(call: Call, accepted: readonly string[]): Promise<Json> {
  const content = await call.body(accepted);
  if (content === undefined) throw unsupportedMediaType('', accepted);
  return content;
}

function writeOptions(call: Call): WriteOptions {
  const wanted = call.query.get('fieldValidation') ?? 'Warn';
  const fieldValidation = wanted === '' ? 'Warn' : wanted;
  if (fieldValidation !== 'Strict' && fieldValidation !== 'Warn' && fieldValidation !== 'Ignore') {
    throw badRequest(`fieldValidation must be Strict, Warn or Ignore, got "${fieldValidation}"`);
  }
  return { fieldValidation, dryRun: dryRun(call) };
}

function dryRun(call: Call): boolean {
  const values = call.query.getAll('dryRun');
  if (values.some((value) => value !== 'All'))
    throw badRequest(`dryRun must be All, got "${values.join(', ')}"`);
  return values.length > 0;
}

function isTrue(value: string | null): boolean {
  return value === 'true' || value === '1' || value === '';
}

function written(status: number, { object, warnings }: WriteResult): Reply {
  if (warnings.length === 0) return { status, body: object };
  const warning = warnings.map((text) => `299 - ${JSON.stringify(text)}`).join(', ');
  return { status, body: object, headers: { warning } };
}

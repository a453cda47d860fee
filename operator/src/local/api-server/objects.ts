import type { Api, WriteResult } from './api.js';
import { badRequest, methodNotAllowed, notAPatch, unsupportedMediaType } from './api-error.js';
import { APPLY_PATCH, type Call, type Reply } from './http-server.js';
import type { Json } from './json.js';
import { viewOf } from './media.js';
import { deleteWish, includedOf, isTrue, writeOptions } from './options.js';
import type { Location } from './paths.js';
import { presentObject } from './present.js';
import { PROTOBUF } from './protobuf.js';
import type { Patch } from './steps.js';

/** Requests about one object. */
export type Named = Location & { readonly name: string };

const OBJECT_TYPES = ['application/json', PROTOBUF];
export const OPTIONS_TYPES = ['application/json', ''];
const MERGE_PATCH = 'application/merge-patch+json';
const JSON_PATCH = 'application/json-patch+json';
const PATCH_TYPES = [JSON_PATCH, MERGE_PATCH, APPLY_PATCH];
const STRATEGIC = 'application/strategic-merge-patch+json';
const STRATEGIC_HINT =
  'the embedded API server has no strategic merge patches: use `kubectl apply --server-side`, or `kubectl patch --type=merge`';

export async function object(api: Api, call: Call, location: Named): Promise<Reply> {
  const { kind, namespace, name } = location;
  switch (call.method) {
    case 'GET':
      return shown(api, call, location);
    case 'PUT': {
      const body = await requiredBody(call);
      return written(200, api.replace(kind, namespace, name, body, writeOptions(call, 'UpdateOptions')));
    }
    case 'PATCH':
      return patch(api, call, location, '');
    case 'DELETE':
      return remove(api, call, location);
    default:
      throw methodNotAllowed(kind, call.method, 'GET, PUT, PATCH and DELETE on an object');
  }
}

/** One object, in the form that the client asked for. */
export function shown(api: Api, call: Call, { kind, namespace, name }: Named): Reply {
  const found = api.get(kind, namespace, name);
  return { status: 200, body: presentObject(kind, viewOf(call.accept), includedOf(call.query), found) };
}

export async function patch(
  api: Api,
  call: Call,
  location: Named,
  subresource: '' | 'status',
): Promise<Reply> {
  const { kind, namespace, name } = location;
  const options = writeOptions(call, 'PatchOptions');
  if (!PATCH_TYPES.includes(call.contentType) && call.contentType !== STRATEGIC) throw notAPatch();
  // On custom resources nobody else takes them either.
  const content = await call.body(PATCH_TYPES, kind.isCustom ? '' : STRATEGIC_HINT);
  if (content === undefined) throw badRequest('a patch needs a body');
  if (call.contentType === APPLY_PATCH) {
    const force = call.query.has('force') && isTrue(call.query.get('force'));
    // Who applies must say so: what is left out of the next apply is taken away.
    const manager = call.query.get('fieldManager') ?? '';
    const applied = api.apply(kind, namespace, name, content, subresource, { ...options, manager, force });
    return written(applied.created ? 201 : 200, applied);
  }
  const change: Patch = { type: call.contentType === JSON_PATCH ? 'json' : 'merge', patch: content };
  return written(200, api.patch(kind, namespace, name, change, subresource, options));
}

async function remove(api: Api, call: Call, { kind, namespace, name }: Named): Promise<Reply> {
  const wish = deleteWish(await call.body(OPTIONS_TYPES), call.query);
  const { object, gone } = api.delete(kind, namespace, name, wish);
  // As in a cluster, a pod that ends at once is shown as it was.
  if (!gone || (kind.group === '' && kind.plural === 'pods')) return { status: 200, body: object };
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

export async function requiredBody(call: Call): Promise<Json> {
  const content = await call.body(OBJECT_TYPES);
  if (content === undefined) throw unsupportedMediaType(OBJECT_TYPES);
  return content;
}

export function written(status: number, { object, warnings }: WriteResult): Reply {
  if (warnings.length === 0) return { status, body: object };
  const warning = warnings.map((text) => `299 - ${JSON.stringify(text)}`).join(', ');
  return { status, body: object, headers: { warning } };
}

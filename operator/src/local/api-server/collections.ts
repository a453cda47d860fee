import type { Api } from './api.js';
import { badRequest, methodNotAllowed, qualified, versionTooLarge } from './api-error.js';
import type { Call, Reply } from './http-server.js';
import { viewOf } from './media.js';
import { OPTIONS_TYPES, requiredBody, written } from './objects.js';
import { checkListOptions, deleteWish, includedOf, isTrue, versionOf, writeOptions } from './options.js';
import type { Location } from './paths.js';
import { presentList } from './present.js';
import { serveWatch } from './watch.js';

/** Requests about all objects of a kind. */
export async function collection(api: Api, call: Call, location: Location): Promise<Reply | undefined> {
  const { kind, namespace } = location;
  switch (call.method) {
    case 'GET':
      if (isTrue(call.query.get('watch'))) {
        serveWatch(api, kind, namespace, call);
        return undefined;
      }
      return list(api, call, location);
    case 'POST': {
      if (kind.namespaced && namespace === undefined)
        throw badRequest(`${qualified(kind)} are namespaced: POST to /namespaces/NAMESPACE/${kind.plural}`);
      const body = await requiredBody(call);
      return written(201, api.create(kind, namespace, body, writeOptions(call, 'CreateOptions')));
    }
    case 'DELETE':
      if (kind.verbs.includes('deletecollection')) return removeAll(api, call, location);
      throw methodNotAllowed(
        kind,
        'deletecollection',
        'GET (list, watch) and POST; delete objects one by one',
      );
    default:
      throw methodNotAllowed(kind, call.method, 'GET (list, watch), POST and DELETE on a collection');
  }
}

function list(api: Api, call: Call, { kind, namespace }: Location): Reply {
  const { query } = call;
  checkListOptions(query);
  const asked = versionOf(query);
  if (asked > api.storage.version) throw versionTooLarge(asked, api.storage.version);
  const view = viewOf(call.accept);
  return { status: 200, body: presentList(kind, view, includedOf(query), api.list(kind, namespace, query)) };
}

/** Deletes what a list would show, one after the other. */
async function removeAll(api: Api, call: Call, location: Location): Promise<Reply> {
  const wish = deleteWish(await call.body(OPTIONS_TYPES), call.query);
  const { kind, namespace } = location;
  const page = api.list(kind, namespace, call.query);
  for (const found of page.items)
    api.delete(kind, found.metadata['namespace'] as string | undefined, found.metadata.name, wish);
  return { status: 200, body: presentList(kind, viewOf(call.accept), includedOf(call.query), page) };
}

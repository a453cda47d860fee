import { child } from './children.js';
import { collection } from './collections.js';
import { describeServer } from './documents.js';
import type { Call, Reply } from './http-server.js';
import { object } from './objects.js';
import { decodeSegment, locate } from './paths.js';
import type { Services } from './services.js';

/** Undefined when the response is a stream of its own. */
export async function route(services: Services, call: Call): Promise<Reply | undefined> {
  const { api, openapi } = services;
  const parts = call.path
    .split('/')
    .filter((part) => part !== '')
    .map(decodeSegment);
  const description = call.method === 'GET' ? describeServer(api, openapi, parts, call) : undefined;
  if (description !== undefined) return description;
  const location = locate(api, parts);
  const { name, subresource } = location;
  if (name === undefined) return collection(api, call, location);
  if (subresource === undefined) return object(api, call, { ...location, name });
  return child(services, call, { ...location, name }, subresource);
}

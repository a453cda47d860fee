import { ApiError, methodNotAllowed, qualified } from './api-error.js';
import type { Call, Reply } from './http-server.js';
import { type Named, patch, requiredBody, shown, written } from './objects.js';
import { writeOptions } from './options.js';
import { serveLog } from './pod-logs.js';
import type { Services } from './services.js';

/** Subresources: status of kinds that have it, binding and log of pods. */
export async function child(
  services: Services,
  call: Call,
  location: Named,
  subresource: string,
): Promise<Reply | undefined> {
  const { api } = services;
  const { kind, namespace, name } = location;
  const isPod = kind.group === '' && kind.plural === 'pods';
  if (isPod && namespace !== undefined) {
    if (subresource === 'log' && call.method === 'GET')
      return serveLog(services, call, { ...location, namespace });
    if (subresource === 'binding' && call.method === 'POST') {
      api.bindPod(kind, namespace, name, await requiredBody(call));
      return {
        status: 201,
        body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 },
      };
    }
  }
  if (subresource !== 'status' || !kind.hasStatus) {
    const accepted = [...(kind.hasStatus ? ['status'] : []), ...(isPod ? ['binding', 'log'] : [])];
    const known = accepted.length === 0 ? 'no subresource here' : `here only ${accepted.join(', ')}`;
    throw new ApiError(
      404,
      'NotFound',
      `${qualified(kind)} "${name}" has no subresource "${subresource}": the embedded API server serves ${known}`,
    );
  }
  switch (call.method) {
    case 'GET':
      return shown(api, call, location);
    case 'PUT': {
      const body = await requiredBody(call);
      return written(
        200,
        api.replaceStatus(kind, namespace, name, body, writeOptions(call, 'UpdateOptions')),
      );
    }
    case 'PATCH':
      return patch(api, call, location, 'status');
    default:
      throw methodNotAllowed(kind, call.method, 'GET, PUT and PATCH on status');
  }
}

// Probes and metrics over HTTP.

import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

export interface Readiness {
  readonly ready: boolean;
  readonly reason: string;
}

/** Serves /healthz (the process answers), /readyz (it can trade) and /metrics; resolves once it listens. */
export async function serveHttp(
  host: string,
  port: number,
  registry: Registry,
  readiness: () => Readiness,
): Promise<{ server: Server; address: string }> {
  const server = createServer(async (request, response) => {
    const path = request.url?.split('?')[0];
    if (request.method !== 'GET') return answer(response, 405, 'only GET is served');
    if (path === '/healthz') return answer(response, 200, 'ok');
    if (path === '/readyz') {
      const { ready, reason } = readiness();
      return answer(response, ready ? 200 : 503, reason);
    }
    if (path === '/metrics') {
      return answer(response, 200, await registry.metrics(), registry.contentType);
    }
    return answer(response, 404, 'served: /healthz, /readyz, /metrics');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { address, port: chosen } = server.address() as AddressInfo;
  return { server, address: `${address}:${chosen}` };
}

function answer(
  response: ServerResponse,
  status: number,
  body: string,
  type = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, { 'content-type': type }).end(`${body}\n`);
}

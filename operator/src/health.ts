import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { collectDefaultMetrics, type Registry } from 'prom-client';
import { FlashpodError } from './errors.js';

export interface HealthServer {
  /** host:port, the port as chosen. */
  readonly address: string;
  close(): Promise<void>;
}

/** Serves /healthz, /readyz and /metrics on `listen`, HOST:PORT with 0 for a chosen port. */
export async function serveHealth(
  listen: string,
  { registry, ready }: { registry: Registry; ready: () => boolean },
): Promise<HealthServer> {
  const [, host, port] = /^\[?([^\]]*)\]?:(\d+)$/.exec(listen) ?? [];
  if (host === undefined || Number(port) > 65_535) {
    throw new FlashpodError(
      'process.arguments',
      `--http ${JSON.stringify(listen)} is not accepted; accepted: HOST:PORT, e.g. 127.0.0.1:0`,
    );
  }
  collectDefaultMetrics({ register: registry });
  const server = createServer(async (request, response) => {
    const answer = (code: number, body: string) =>
      response.writeHead(code, { 'content-type': 'text/plain' }).end(body);
    switch (request.url?.split('?')[0]) {
      case '/healthz':
        return answer(200, 'ok\n');
      case '/readyz':
        return ready() ? answer(200, 'ok\n') : answer(503, 'the first lists are not complete\n');
      case '/metrics':
        response.writeHead(200, { 'content-type': registry.contentType }).end(await registry.metrics());
        return;
      default:
        return answer(404, 'there is /healthz, /readyz and /metrics\n');
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(Number(port), host, resolve);
  });
  return {
    address: `${host}:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(() => resolve()).closeAllConnections()),
  };
}

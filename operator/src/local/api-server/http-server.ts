import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FlashpodError, messageOf } from '../../errors.js';
import type { Api } from './api.js';
import { ApiError, badRequest, unsupportedMediaType } from './api-error.js';
import type { Json } from './json.js';
import { route } from './routes.js';

/** As the real server: larger bodies don't fit into etcd anyway. */
const MAX_BODY_BYTES = 3 * 1024 * 1024;
const OPEN_PATHS = new Set(['/healthz', '/livez', '/readyz']);

export interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One authenticated request, with its body read on demand. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** The JSON body; refuses media types other than these. */
  body(accepted: readonly string[]): Promise<Json | undefined>;
  readonly response: ServerResponse;
}

export interface HttpServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Listens on 127.0.0.1 only: the token is the only guard, and the traffic is not encrypted. */
export async function listen(api: Api, port: number, token: string): Promise<HttpServer> {
  const expected = Buffer.from(`Bearer ${token}`);
  const server = createServer((request, response) => {
    handle(api, expected, request, response).catch((error: unknown) => {
      refuse(response, error instanceof ApiError ? error : internal(error));
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new FlashpodError('local.listen', `cannot listen on 127.0.0.1:${port}: ${messageOf(error)}`, {
          cause: error,
        }),
      ),
    );
    server.listen(port, '127.0.0.1', resolve);
  });
  const { port: chosen } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${chosen}`, stop: () => stop(server) };
}

async function stop(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}

async function handle(
  api: Api,
  expected: Buffer,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  if (OPEN_PATHS.has(url.pathname)) {
    response.writeHead(200, { 'content-type': 'text/plain' }).end('ok');
    return;
  }
  authorize(request, expected);
  const call: Call = {
    method: request.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    body: (accepted) => readBody(request, accepted),
    response,
  };
  const reply = await route(api, call);
  if (reply !== undefined) send(response, reply);
}

function authorize(request: IncomingMessage, expected: Buffer): void {
  const given = Buffer.from(request.headers.authorization ?? '');
  if (given.length === expected.length && timingSafeEqual(given, expected)) return;
  throw new ApiError(401, 'Unauthorized', 'Unauthorized');
}

async function readBody(request: IncomingMessage, accepted: readonly string[]): Promise<Json | undefined> {
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim() ?? '';
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) {
      throw new ApiError(
        413,
        'RequestEntityTooLarge',
        `Request entity too large: limit is ${MAX_BODY_BYTES}`,
        undefined,
        { connection: 'close' },
      );
    }
    chunks.push(chunk);
  }
  if (length === 0) return undefined;
  if (!accepted.includes(type)) throw unsupportedMediaType(type, accepted);
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as Json;
  } catch {
    // Without the excerpt that JSON.parse gives: it may hold a secret.
    throw badRequest(`the body, ${length} bytes, is not JSON`);
  }
}

function send(response: ServerResponse, reply: Reply): void {
  const text = `${JSON.stringify(reply.body)}\n`;
  response.writeHead(reply.status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...reply.headers,
  });
  response.end(text);
}

function refuse(response: ServerResponse, error: ApiError): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  send(response, { status: error.code, body: error.status, headers: error.headers });
}

function internal(error: unknown): ApiError {
  return new ApiError(500, 'InternalError', `Internal error occurred: ${messageOf(error)}`);
}

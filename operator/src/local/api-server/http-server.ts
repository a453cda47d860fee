import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { parse } from 'yaml';
import { FlashpodError, messageOf } from '../../errors.js';
import { ApiError, badRequest, PageNotFound, unsupportedMediaType } from './api-error.js';
import type { Json } from './json.js';
import { decodeProtobuf, PROTOBUF } from './protobuf.js';
import type { Identity } from './tls.js';

/** As the real server: larger bodies don't fit into etcd anyway. */
const MAX_BODY_BYTES = 3 * 1024 * 1024;
const OPEN_PATHS = new Set(['/healthz', '/livez', '/readyz']);
const PLAIN_TEXT = 'text/plain; charset=utf-8';
export const APPLY_PATCH = 'application/apply-patch+yaml';

export interface Reply {
  readonly status: number;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, instead of `body`; its media type is among the headers. */
  readonly raw?: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One authenticated request, with its body read on demand. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly accept: string | undefined;
  readonly ifNoneMatch: string | undefined;
  readonly userAgent: string;
  /** Media type of the body, '' for none. */
  readonly contentType: string;
  /** The body, parsed; refuses media types other than these. `hint` says what to do instead. */
  body(accepted: readonly string[], hint?: string): Promise<Json | undefined>;
  readonly response: ServerResponse;
}

export type Handler = (call: Call) => Promise<Reply | undefined>;

export interface HttpServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Listens on 127.0.0.1 only. TLS, because client-go sends tokens over nothing else. */
export async function listen(
  handler: Handler,
  port: number,
  token: string,
  identity: Identity,
): Promise<HttpServer> {
  const expected = Buffer.from(`Bearer ${token}`);
  const { key, certificate: cert } = identity;
  const server = createServer({ key, cert }, (request, response) => {
    handle(handler, expected, request, response).catch((error: unknown) => {
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
  return { url: `https://127.0.0.1:${chosen}`, stop: () => stop(server) };
}

async function stop(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}

async function handle(
  handler: Handler,
  expected: Buffer,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = urlOf(request);
  if (OPEN_PATHS.has(url.pathname)) {
    response.writeHead(200, { 'content-type': PLAIN_TEXT }).end('ok');
    return;
  }
  authorize(request, expected);
  const contentType = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim() ?? '';
  const reply = await handler({
    method: request.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    accept: request.headers.accept,
    ifNoneMatch: request.headers['if-none-match'],
    userAgent: request.headers['user-agent'] ?? '',
    contentType,
    body: (accepted, hint) => readBody(request, contentType, accepted, hint),
    response,
  });
  if (reply !== undefined) send(response, reply);
}

function urlOf({ url = '/' }: IncomingMessage): URL {
  if (!URL.canParse(url, 'https://127.0.0.1')) throw badRequest('the request target is no path');
  return new URL(url, 'https://127.0.0.1');
}

function authorize(request: IncomingMessage, expected: Buffer): void {
  const given = Buffer.from(request.headers.authorization ?? '');
  if (given.length === expected.length && timingSafeEqual(given, expected)) return;
  throw new ApiError(401, 'Unauthorized', 'Unauthorized');
}

async function readBody(
  request: IncomingMessage,
  type: string,
  accepted: readonly string[],
  hint?: string,
): Promise<Json | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  // Who sends too much is to read why: the rest is taken and thrown away, the connection stays.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) {
      throw new ApiError(
        413,
        'RequestEntityTooLarge',
        `Request entity too large: limit is ${MAX_BODY_BYTES}`,
      );
    }
    chunks.push(chunk);
  }
  if (length === 0) return undefined;
  if (!accepted.includes(type)) throw unsupportedMediaType(accepted, hint);
  const body = Buffer.concat(chunks);
  if (type === PROTOBUF) return decodeProtobuf(body, accepted);
  try {
    const text = body.toString('utf8');
    return (type === APPLY_PATCH ? parse(text) : JSON.parse(text)) as Json;
  } catch {
    // Without the excerpt that the parsers give: it may hold a secret.
    throw badRequest(`the body, ${length} bytes, is not ${type === APPLY_PATCH ? 'YAML' : 'JSON'}`);
  }
}

function send(response: ServerResponse, { status, body, raw, headers }: Reply): void {
  if (status === 204 || status === 304) {
    response.writeHead(status, headers).end();
    return;
  }
  const content = raw ?? Buffer.from(`${JSON.stringify(body)}\n`);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': content.length,
    ...headers,
  });
  response.end(content);
}

function refuse(response: ServerResponse, error: ApiError): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (error instanceof PageNotFound) {
    const raw = Buffer.from(`${error.message}\n`);
    send(response, { status: 404, raw, headers: { 'content-type': PLAIN_TEXT } });
    return;
  }
  send(response, { status: error.code, body: error.status, headers: error.headers });
}

function internal(error: unknown): ApiError {
  return new ApiError(500, 'InternalError', `Internal error occurred: ${messageOf(error)}`);
}

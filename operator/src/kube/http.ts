import { request } from 'undici';
import { messageOf } from '../errors.js';
import { type Clock, sleep, systemClock } from './clock.js';
import type { Connection } from './connection.js';
import { KubeStatusError, KubeTransportError } from './errors.js';
import { decodeLines, parseJson } from './lines.js';
import { TokenBucket } from './rate-limit.js';
import type { KubeStatus } from './types.js';

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface KubeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Query;
  readonly body?: unknown;
  readonly contentType?: string;
  /** Media types of the answer; default JSON. */
  readonly accept?: string;
  readonly signal?: AbortSignal;
  /** For the answer's head, and again for its body. */
  readonly timeoutMs?: number;
}

export interface KubeHttpOptions {
  readonly clock?: Clock;
  /** Requests per second in the long run, and at once. Watches count as one. */
  readonly qps?: number;
  readonly burst?: number;
  readonly userAgent?: string;
  /** Told of each answer, for metrics. */
  readonly onAnswer?: (method: string, status: number, seconds: number) => void;
}

const TIMEOUT_MS = 15_000;
/** How often one request is repeated because the server asked for it with Retry-After. */
const MAX_THROTTLED = 5;
const MAX_RETRY_AFTER_S = 30;

/** No byte of the request was accepted, so a write has certainly not happened. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);
/** A kept-alive connection that the server closed in the same instant. */
const STALE_CONNECTION = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

type Answer = Awaited<ReturnType<typeof request>>;

/** JSON over HTTP to one API server, with back-pressure: our own rate, and the server's Retry-After. */
export class KubeHttp {
  readonly connection: Connection;
  readonly #options: KubeHttpOptions;
  readonly #clock: Clock;
  readonly #bucket: TokenBucket;

  constructor(connection: Connection, options: KubeHttpOptions = {}) {
    this.connection = connection;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#bucket = new TokenBucket(options.qps ?? 50, options.burst ?? 100, this.#clock);
  }

  /** The parsed body of a 2xx answer; anything else is thrown. */
  async json(req: KubeRequest): Promise<unknown> {
    const answer = await this.#exchange(req, req.timeoutMs ?? TIMEOUT_MS);
    const text = await this.#text(answer, req);
    try {
      return parseJson(text);
    } catch (error) {
      throw new KubeTransportError(`${where(req)}: the answer is ${messageOf(error)}`, {
        maybeApplied: req.method !== 'GET',
        code: 'kube.malformed-answer',
      });
    }
  }

  /** A body that is text, as it comes: pod logs. Ends when the server ends it, or when the caller aborts. */
  async *text(req: KubeRequest): AsyncGenerator<string> {
    const answer = await this.#exchange({ accept: '*/*', ...req }, 0);
    const decoder = new TextDecoder();
    try {
      for await (const chunk of answer.body) yield decoder.decode(chunk as Uint8Array, { stream: true });
    } catch (error) {
      if (req.signal?.aborted === true) return;
      throw new KubeTransportError(`${where(req)}: the stream broke: ${messageOf(error)}`, {
        cause: error,
        maybeApplied: false,
      });
    } finally {
      answer.body.destroy();
    }
  }

  /**
   * The values of a stream with one JSON value a line. Ends when the server ends it; throws when the connection
   * breaks. There is no idle time-out here: the caller aborts.
   */
  async *stream(req: KubeRequest): AsyncGenerator<unknown> {
    const answer = await this.#exchange(req, 0);
    try {
      yield* decodeLines(answer.body);
    } catch (error) {
      if (req.signal?.aborted === true) return;
      throw new KubeTransportError(`${where(req)}: the stream broke: ${messageOf(error)}`, {
        cause: error,
        maybeApplied: false,
      });
    } finally {
      answer.body.destroy();
    }
  }

  async close(): Promise<void> {
    await this.connection.close();
  }

  async #exchange(req: KubeRequest, bodyTimeoutMs: number): Promise<Answer> {
    for (let throttled = 0; ; throttled++) {
      await this.#bucket.take(req.signal);
      const started = this.#clock.now();
      const answer = await this.#send(req, bodyTimeoutMs);
      this.#options.onAnswer?.(req.method, answer.statusCode, (this.#clock.now() - started) / 1000);
      if (answer.statusCode < 300) return answer;

      const error = statusError(answer, await this.#text(answer, req));
      const waitMs = retryAfterMs(answer, error);
      if (waitMs === undefined || throttled >= MAX_THROTTLED || req.signal?.aborted === true) throw error;
      // The whole client holds back, not only this request: the others would meet the same answer.
      this.#bucket.pause(waitMs);
      await sleep(this.#clock, waitMs, req.signal);
    }
  }

  async #send(req: KubeRequest, bodyTimeoutMs: number, retried = false): Promise<Answer> {
    const { dispatcher, headers } = await this.connection.authorize();
    const body = req.body === undefined ? null : JSON.stringify(req.body);
    try {
      return await request(this.#url(req), {
        dispatcher,
        method: req.method,
        headers: {
          accept: req.accept ?? 'application/json',
          'user-agent': this.#options.userAgent ?? 'flashpod',
          ...(body === null ? {} : { 'content-type': req.contentType ?? 'application/json' }),
          ...headers,
        },
        body,
        headersTimeout: req.timeoutMs ?? TIMEOUT_MS,
        bodyTimeout: bodyTimeoutMs,
        ...(req.signal === undefined ? {} : { signal: req.signal }),
      });
    } catch (error) {
      const code = codeOf(error);
      if (!retried && req.method === 'GET' && STALE_CONNECTION.has(code))
        return this.#send(req, bodyTimeoutMs, true);
      throw new KubeTransportError(`${where(req)} at ${this.connection.server.origin}: ${messageOf(error)}`, {
        cause: error,
        maybeApplied: req.method !== 'GET' && !NEVER_SENT.has(code),
      });
    }
  }

  async #text(answer: Answer, req: KubeRequest): Promise<string> {
    try {
      return await answer.body.text();
    } catch (error) {
      throw new KubeTransportError(`${where(req)}: the answer broke off: ${messageOf(error)}`, {
        cause: error,
        maybeApplied: req.method !== 'GET',
      });
    }
  }

  #url(req: KubeRequest): URL {
    // A server behind a proxy may have a path of its own.
    const url = new URL(
      this.connection.server.pathname.replace(/\/$/, '') + req.path,
      this.connection.server,
    );
    for (const [name, value] of Object.entries(req.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    return url;
  }
}

function where(req: KubeRequest): string {
  return `${req.method} ${req.path}`;
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

function statusError(answer: Answer, text: string): KubeStatusError {
  try {
    const body = JSON.parse(text) as KubeStatus;
    if (body?.kind === 'Status') return new KubeStatusError(body, answer.statusCode);
  } catch {
    // Not from Kubernetes: a proxy, or a plain-text 404.
  }
  return new KubeStatusError(
    { message: `HTTP ${answer.statusCode}: ${text.slice(0, 200).trim()}` },
    answer.statusCode,
  );
}

function retryAfterMs(answer: Answer, error: KubeStatusError): number | undefined {
  if (answer.statusCode !== 429 && answer.statusCode < 500) return undefined;
  const header = answer.headers['retry-after'];
  const seconds = header === undefined ? error.retryAfterSeconds : Number(header);
  if (seconds === undefined || !Number.isFinite(seconds)) return answer.statusCode === 429 ? 1000 : undefined;
  return Math.min(Math.max(seconds, 0), MAX_RETRY_AFTER_S) * 1000;
}

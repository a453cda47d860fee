import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { KubeClient } from '../client.js';
import { connectionOf } from '../connection.js';
import { KubeHttp, type KubeHttpOptions } from '../http.js';
import type { KubeObject } from '../types.js';

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type Answer = (response: ServerResponse, request: Seen) => void;

/** An API server that does as it is told, one answer a request; for tests of what goes wrong. */
export class ScriptedServer {
  readonly seen: Seen[] = [];
  readonly #server: Server;
  readonly #script: Answer[] = [];
  readonly #waiting: { count: number; resolve: () => void }[] = [];
  readonly #rest: Answer;

  private constructor(rest: Answer) {
    this.#rest = rest;
    this.#server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on('end', () => this.#answer(request, response, body));
    });
  }

  /** `rest` answers what comes after the script. */
  static async start(rest: Answer = reply(500, {})): Promise<ScriptedServer> {
    const scripted = new ScriptedServer(rest);
    await new Promise<void>((resolve) => scripted.#server.listen(0, '127.0.0.1', resolve));
    return scripted;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  answers(...answers: Answer[]): this {
    this.#script.push(...answers);
    return this;
  }

  client(options: KubeHttpOptions = {}): KubeClient {
    const config = new KubeConfig();
    config.loadFromClusterAndUser(
      { name: 'c', server: this.url, skipTLSVerify: true },
      { name: 'u', token: 'secret' },
    );
    return new KubeClient(new KubeHttp(connectionOf(config), options));
  }

  /** Resolves once so many requests have come in all. */
  requests(count: number): Promise<void> {
    if (this.seen.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ count, resolve }));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse, body: string): void {
    const url = new URL(request.url ?? '/', 'http://x');
    const seen = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body,
    };
    this.seen.push(seen);
    (this.#script.shift() ?? this.#rest)(response, seen);
    for (const { count, resolve } of this.#waiting) if (this.seen.length >= count) resolve();
  }
}

export function reply(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return (response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** A list at a version. */
export function listOf(resourceVersion: string, ...items: KubeObject[]): Answer {
  return reply(200, { kind: 'ConfigMapList', apiVersion: 'v1', metadata: { resourceVersion }, items });
}

/** A watch that sends these events and then does what `end` says. */
export function watchOf(events: readonly unknown[], end: 'stay' | 'close' | 'reset' = 'stay'): Answer {
  return (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const text = events.map((event) => `${JSON.stringify(event)}\n`).join('');
    response.write(text === '' ? '\n' : text, () => {
      if (end === 'close') response.end();
      if (end === 'reset') response.socket?.resetAndDestroy();
    });
  };
}

export function configMap(
  name: string,
  uid: string,
  resourceVersion: string,
  data: Record<string, string> = {},
): KubeObject & { data: Record<string, string> } {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: 'ns', name, uid, resourceVersion },
    data,
  };
}

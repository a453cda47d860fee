import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, fetch, type Headers, type Response } from 'undici';
import type { KubeStatus } from '../../../kube/types.js';
import { type ApiServer, type ApiServerOptions, startApiServer } from '../index.js';
import { WIDGET_CRD } from './crd.js';

export const WIDGETS = '/apis/test.example.com/v1/namespaces/default/widgets';
export const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';

export interface Result {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any kind
  readonly body: any;
  readonly headers: Headers;
}

/** A server with the widget definition, spoken to by plain requests: nothing of our client is in between. */
export class TestServer {
  readonly server: ApiServer;
  readonly #directory: string;
  readonly #dispatcher: Agent;

  private constructor(server: ApiServer, directory: string) {
    this.server = server;
    this.#directory = directory;
    this.#dispatcher = new Agent({ connect: { ca: server.certificate } });
  }

  static async start(crd = WIDGET_CRD, options: ApiServerOptions = {}): Promise<TestServer> {
    const directory = await mkdtemp(join(tmpdir(), 'fpa-'));
    await writeFile(join(directory, 'widgets.yaml'), crd);
    try {
      return new TestServer(await startApiServer({ crdDir: directory, ...options }), directory);
    } catch (error) {
      await rm(directory, { recursive: true });
      throw error;
    }
  }

  async call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Result> {
    const answer = await fetch(`${this.server.url}${path}`, {
      method,
      dispatcher: this.#dispatcher,
      headers: {
        authorization: `Bearer ${this.server.token}`,
        ...(body === undefined
          ? {}
          : { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    return {
      status: answer.status,
      body: answer.headers.get('content-type')?.startsWith('application/json') ? JSON.parse(text) : text,
      headers: answer.headers,
    };
  }

  /** The lines of a watch, as they come. */
  async watch(path: string, query: string, headers: Record<string, string> = {}): Promise<WatchReader> {
    const stop = new AbortController();
    const answer = await fetch(`${this.server.url}${path}?watch=true&${query}`, {
      dispatcher: this.#dispatcher,
      headers: { authorization: `Bearer ${this.server.token}`, ...headers },
      signal: stop.signal,
    });
    return new WatchReader(answer, stop);
  }

  widget(name: string, spec: Record<string, unknown> = {}): Promise<Result> {
    return this.call('POST', WIDGETS, { metadata: { name }, spec: { size: 1, ...spec } });
  }

  async stop(): Promise<void> {
    await this.#dispatcher.destroy();
    await this.server.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into objects of any kind
type Event = { type: string; object: any };

export class WatchReader {
  readonly status: number;
  readonly #events: AsyncGenerator<Event>;
  readonly #stop: AbortController;

  constructor(answer: Response, stop: AbortController) {
    this.status = answer.status;
    this.#stop = stop;
    this.#events = lines(answer);
  }

  /** The next so many events. */
  async take(count: number): Promise<Event[]> {
    const events: Event[] = [];
    while (events.length < count) {
      const next = await this.#events.next();
      if (next.done === true) throw new Error(`the watch ended after ${JSON.stringify(events)}`);
      events.push(next.value);
    }
    return events;
  }

  /** All that is still to come, until the server ends the watch. */
  async rest(): Promise<Event[]> {
    const events: Event[] = [];
    for await (const event of this.#events) events.push(event);
    return events;
  }

  stop(): void {
    this.#stop.abort();
  }
}

async function* lines(answer: Response): AsyncGenerator<Event> {
  let text = '';
  try {
    for await (const chunk of answer.body ?? []) {
      text += Buffer.from(chunk as Uint8Array).toString();
      const complete = text.split('\n');
      text = complete.pop() ?? '';
      for (const line of complete) yield JSON.parse(line) as Event;
    }
  } catch (error) {
    if ((error as Error).name !== 'AbortError') throw error;
  }
}

export function causesOf(result: Result): string[] {
  return ((result.body as KubeStatus).details?.causes ?? []).map(
    ({ reason, field, message }) => `${reason} ${field}: ${message}`,
  );
}

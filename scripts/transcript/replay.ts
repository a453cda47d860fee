// Sends recorded requests to a server, one by one in their order, and compares what it answers.

import type { IncomingMessage } from 'node:http';
import { request as send } from 'node:https';
import { ALLOWED, ordered } from './allowed.ts';
import { reduce } from './documents.ts';
import type { Exchange, Scene, Value } from './format.ts';
import { Bindings, type Difference, differences } from './match.ts';

const WATCH_WITHIN_MS = 5_000;

export interface Target {
  readonly url: string;
  readonly token: string;
  readonly certificate: string;
  /** What ends things in the background: there it takes a moment, in which kubectl looks again. */
  readonly controllers: { hold(): void; release(): void };
}

export interface Mismatch extends Difference {
  readonly request: string;
}

interface OpenWatch {
  readonly exchange: Exchange;
  readonly events: Value[];
  readonly close: () => void;
  /** Resolves when so many events have come, or the stream is over, or it takes too long. */
  readonly until: (count: number) => Promise<void>;
}

export class Replay {
  /** Which of the allowed differences there were. */
  readonly met = new Set<string>();
  readonly #target: Target;
  readonly #bindings = new Bindings();

  constructor(target: Target) {
    this.#target = target;
  }

  async play(scene: Scene): Promise<Mismatch[]> {
    const mismatches: Mismatch[] = [];
    const watches: OpenWatch[] = [];
    const { controllers } = this.#target;
    const endWatches = async (index: number) => {
      for (const watch of watches.filter(({ exchange }) => exchange.endsBefore === index)) {
        const { body } = watch.exchange.answer;
        const recorded = withoutOwnBookmarks(Array.isArray(body) ? body : []);
        await watch.until(recorded.length);
        watch.close();
        mismatches.push(...this.#compare(watch.exchange, recorded, withoutOwnBookmarks(watch.events)));
      }
    };
    for (const [index, exchange] of scene.exchanges.entries()) {
      await endWatches(index);
      if (exchange.request.method === 'DELETE') controllers.hold();
      else if (!showsDeletion(exchange)) {
        controllers.release();
        await settled();
      }
      if (exchange.endsBefore === undefined) mismatches.push(...(await this.#exchange(exchange)));
      else {
        watches.push(await this.#watch(exchange));
        controllers.release();
      }
    }
    controllers.release();
    await endWatches(scene.exchanges.length);
    return mismatches;
  }

  async #exchange(exchange: Exchange): Promise<Mismatch[]> {
    const answer = await this.#send(exchange);
    const body = await collect(answer);
    const recorded = exchange.answer;
    const type = String(answer.headers['content-type'] ?? '');
    const actual: Value = {
      status: answer.statusCode ?? 0,
      headers: Object.fromEntries(
        Object.keys(recorded.headers).map((name) => [name, String(answer.headers[name] ?? '')]),
      ),
      body: reduce(exchange.request.url, parsed(body, type)),
    };
    const expected: Value = {
      status: recorded.status,
      headers: recorded.headers,
      body: recorded.body ?? null,
    };
    return this.#compare(exchange, expected, actual);
  }

  async #watch(exchange: Exchange): Promise<OpenWatch> {
    const answer = await this.#send(exchange);
    const events: Value[] = [];
    let text = '';
    let over = false;
    let wake = () => {};
    answer.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) events.push(JSON.parse(line) as Value);
      wake();
    });
    answer.on('error', () => {});
    answer.on('close', () => {
      over = true;
      wake();
    });
    const until = (count: number) =>
      new Promise<void>((resolve) => {
        const limit = setTimeout(resolve, WATCH_WITHIN_MS);
        wake = () => {
          if (!over && withoutOwnBookmarks(events).length < count) return;
          clearTimeout(limit);
          resolve();
        };
        wake();
      });
    return { exchange, events, close: () => answer.destroy(), until };
  }

  #compare(exchange: Exchange, recorded: Value, actual: Value): Mismatch[] {
    const { method, url } = exchange.request;
    return differences(this.#bindings, ordered(recorded), ordered(actual))
      .filter((difference) => !this.#isAllowed(difference, exchange))
      .map((difference) => ({ request: `${method} ${url}`, ...difference }));
  }

  #isAllowed(difference: Difference, exchange: Exchange): boolean {
    const allowed = ALLOWED.find(({ allows }) => allows(difference, exchange));
    if (allowed !== undefined) this.met.add(allowed.why);
    return allowed !== undefined;
  }

  #send({ request }: Exchange): Promise<IncomingMessage> {
    const { url, token, certificate } = this.#target;
    const path = this.#bindings.text(request.url);
    const [pathname = '', query] = path.split('?', 2);
    const parameters = query === undefined ? '' : `?${encoded(query)}`;
    const body = bodyOf(request.body, this.#bindings);
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, this.#bindings.text(value)]),
    );
    return new Promise((resolve, reject) => {
      const call = send(new URL(encodeURI(pathname) + parameters, url), {
        method: request.method,
        ca: certificate,
        headers: {
          ...headers,
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-length': body.length }),
        },
      });
      call.on('error', reject);
      call.on('response', resolve);
      call.end(body);
    });
  }
}

/** Of the recorded form, `a=b&c=d` with plain values. */
function encoded(query: string): string {
  return query
    .split('&')
    .map((pair) => {
      const at = pair.indexOf('=');
      return `${pair.slice(0, at)}=${encodeURIComponent(pair.slice(at + 1))}`;
    })
    .join('&');
}

function bodyOf(body: Value | undefined, bindings: Bindings): Buffer | undefined {
  if (body === undefined) return undefined;
  if (typeof body === 'object' && body !== null && !Array.isArray(body) && typeof body['base64'] === 'string')
    return Buffer.from(body['base64'], 'base64');
  const filled = bindings.fill(body);
  return Buffer.from(typeof filled === 'string' ? filled : JSON.stringify(filled));
}

function parsed(body: Buffer, type: string): Value {
  if (body.length === 0) return null;
  if (type.includes('openapi')) return '<openapi v2>';
  const text = body.toString('utf8');
  return /^[{[]/.test(text) ? (JSON.parse(text) as Value) : text;
}

/** An object that is to go, and has not gone yet; of a watch, at its beginning. */
function showsDeletion({ answer: { body } }: Exchange): boolean {
  const first = Array.isArray(body) ? body[0] : body;
  return JSON.stringify(first ?? null).includes('"deletionTimestamp"');
}

/** Background work of this process takes a few turns of the event loop. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Those that say nothing but how far the server is come when it pleases the server. */
function withoutOwnBookmarks(events: Value[]): Value[] {
  return events.filter((event) => {
    const text = JSON.stringify(event);
    return !text.includes('"BOOKMARK"') || text.includes('initial-events-end');
  });
}

async function collect(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

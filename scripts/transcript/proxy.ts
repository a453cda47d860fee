// Stands between kubectl and the server, and writes down what passes.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TOKEN } from './cluster.ts';

export interface Recorded {
  readonly method: string;
  readonly url: string;
  readonly requestHeaders: Record<string, string>;
  readonly requestBody: Buffer;
  status: number;
  answerHeaders: Record<string, string>;
  answerBody: Buffer;
  /** How many requests had begun when this one was over. */
  endedAfter: number;
}

export class RecordingProxy {
  readonly url: string;
  readonly #close: () => Promise<void>;
  readonly #calls: Recorded[] = [];

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url;
    this.#close = close;
  }

  static async start(server: URL): Promise<RecordingProxy> {
    let proxy: RecordingProxy | undefined;
    const listener = createServer((incoming, outgoing) => {
      proxy?.pass(server, incoming, outgoing).catch((error: unknown) => outgoing.destroy(error as Error));
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const { port } = listener.address() as AddressInfo;
    proxy = new RecordingProxy(`http://127.0.0.1:${port}`, async () => {
      listener.closeAllConnections();
      await new Promise((resolve) => listener.close(resolve));
    });
    return proxy;
  }

  /** What passed since the last time. */
  take(): Recorded[] {
    return this.#calls.splice(0);
  }

  /** How many watches are answered and not over. */
  watching(): number {
    return this.#calls.filter(
      ({ url, status, endedAfter }) => /[?&]watch=(true|1)/.test(url) && status === 200 && endedAfter === 0,
    ).length;
  }

  stop(): Promise<void> {
    return this.#close();
  }

  async pass(server: URL, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const calls = this.#calls;
    const call: Recorded = {
      method: incoming.method ?? 'GET',
      url: incoming.url ?? '/',
      requestHeaders: flat(incoming.headers),
      requestBody: Buffer.alloc(0),
      status: 0,
      answerHeaders: {},
      answerBody: Buffer.alloc(0),
      endedAfter: 0,
    };
    calls.push(call);
    const body = await collect(incoming);
    Object.assign(call, { requestBody: body });
    // Uncompressed, so that what is written down can be read.
    const { 'accept-encoding': _, host: __, ...headers } = incoming.headers;
    // Who takes protobuf takes JSON too, and JSON can be compared.
    const accept = headers.accept?.replace('application/vnd.kubernetes.protobuf,', '');
    const upstream = request(new URL(call.url, server), {
      method: call.method,
      headers: { ...headers, ...(accept === undefined ? {} : { accept }), authorization: `Bearer ${TOKEN}` },
      rejectUnauthorized: false,
    });
    upstream.on('error', () => outgoing.destroy());
    outgoing.on('close', () => upstream.destroy());
    upstream.on('response', (answer) => {
      call.status = answer.statusCode ?? 0;
      call.answerHeaders = flat(answer.headers);
      outgoing.writeHead(call.status, answer.headers);
      outgoing.flushHeaders();
      answer.on('data', (chunk: Buffer) => {
        call.answerBody = Buffer.concat([call.answerBody, chunk]);
        outgoing.write(chunk);
      });
      answer.on('error', () => outgoing.destroy());
      answer.on('end', () => outgoing.end());
      answer.on('close', () => {
        call.endedAfter = calls.length;
      });
    });
    upstream.end(body);
  }
}

async function collect(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function flat(headers: IncomingMessage['headers']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value] as const],
    ),
  );
}

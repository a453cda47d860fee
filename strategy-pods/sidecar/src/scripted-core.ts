// For tests: the core's end of the stream, doing exactly what the test says.

import { rmSync } from 'node:fs';
import {
  create,
  type MessageInitShape,
  type SessionDown,
  SessionDownSchema,
  type SessionUp,
  StrategyService,
  serve,
  type WelcomeSchema,
} from '@flashpod/proto';
import { Server, ServerCredentials, type ServerDuplexStream, status } from '@grpc/grpc-js';

type Stream = ServerDuplexStream<SessionUp, SessionDown>;
export type Down = Exclude<MessageInitShape<typeof SessionDownSchema>['body'], undefined>;
type UpCase = NonNullable<SessionUp['body']['case']>;
type UpValue<C extends UpCase> = Extract<SessionUp['body'], { case: C }>['value'];

export const instruments = [
  {
    symbol: 'BTCUSDC',
    baseAsset: 'BTC',
    quoteAsset: 'USDC',
    tickSize: '0.01',
    lotSize: '0.00001',
    minQuantity: '0.00001',
    minNotional: '1',
    makerFee: '0',
    takerFee: '0.0005',
  },
];

/** Answers Hello with Welcome when the token fits; records everything; sends what it is told to. */
export class ScriptedCore {
  readonly received: SessionUp[] = [];
  readonly token: string;
  welcome: MessageInitShape<typeof WelcomeSchema> = { mode: 3, state: 1, instruments };
  /** False: Hello stays unanswered. */
  answers = true;
  sessions = 0;
  readonly #server = new Server();
  #stream: Stream | undefined;
  #waiters: (() => void)[] = [];

  constructor(token: string) {
    this.token = token;
    serve(this.#server, StrategyService, { session: (stream) => this.#session(stream) });
  }

  async listen(socket: string): Promise<void> {
    // As the core does: what a killed predecessor left behind is not in use.
    rmSync(socket, { force: true });
    await new Promise<void>((resolve, reject) =>
      this.#server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) =>
        error ? reject(error) : resolve(),
      ),
    );
  }

  send(body: Down): void {
    this.#stream?.write(create(SessionDownSchema, { body }));
  }

  /** Breaks every connection at once, as a kill would. */
  kill(): void {
    this.#server.forceShutdown();
  }

  /** Reads nothing more from the sidecar. */
  stall(): void {
    this.#stream?.pause();
  }

  resume(): void {
    this.#stream?.resume();
  }

  all<C extends UpCase>(kind: C): UpValue<C>[] {
    return this.received.flatMap(({ body }) => (body.case === kind ? [body.value as UpValue<C>] : []));
  }

  /** Waits for the `count`-th message of a kind. */
  async nth<C extends UpCase>(kind: C, count = 1): Promise<UpValue<C>> {
    await this.until(() => this.all(kind).length >= count);
    return this.all(kind)[count - 1] as UpValue<C>;
  }

  /** Waits until something that a message may change is so. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  #session(stream: Stream): void {
    this.#stream = stream;
    stream.on('data', (message: SessionUp) => {
      this.received.push(message);
      if (message.body.case === 'hello') this.#greet(stream, message.body.value.token);
      this.#wake();
    });
    stream.on('end', () => {
      stream.end();
      this.#wake();
    });
    stream.on('error', () => this.#wake());
  }

  #greet(stream: Stream, token: string): void {
    if (token !== this.token) {
      stream.emit('error', { code: status.UNAUTHENTICATED, details: 'unknown instance or token' });
      return;
    }
    this.sessions += 1;
    if (this.answers) this.send({ case: 'welcome', value: this.welcome });
  }

  #wake(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }
}

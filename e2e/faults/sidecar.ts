// Plays a sidecar: sends the orders of the cells, keeps every book and order event, and comes back after the last one.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  type BookUpdate,
  create,
  type Instrument,
  type MessageInitShape,
  makeClient,
  type OrderEvent,
  type OrderType,
  type SessionDown,
  SessionUpSchema,
  type Side,
  StrategyService,
} from '@flashpod/proto';
import { until } from '../shared.ts';
import type { Core } from './core.ts';
import { instance, symbol, token } from './terms.ts';

type Up = Exclude<MessageInitShape<typeof SessionUpSchema>['body'], undefined>;

export class Sidecar {
  readonly #socket: string;
  #stream: { write(message: unknown): boolean } | undefined;
  #client: { close(): void } | undefined;
  #closed = false;
  #book: BookUpdate | undefined;
  #instrument: Instrument | undefined;
  #last = 0n;
  /** All that it was told of its orders, in order. */
  readonly events: OrderEvent[] = [];
  /** What must never be: holes in the events. */
  readonly complaints: string[] = [];

  constructor(core: Core) {
    const folder = createHash('sha256').update(instance).digest('hex').slice(0, 10);
    this.#socket = join(core.sockets, 'i', folder, 'core.sock');
    void this.#keep();
  }

  /** Connects again and again: cores come and go. */
  async #keep(): Promise<void> {
    while (!this.#closed) {
      if (existsSync(this.#socket)) await this.#converse();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async #converse(): Promise<void> {
    const client = makeClient(StrategyService, `unix:${this.#socket}`);
    const stream = client.session();
    this.#client = client;
    const over = new Promise<void>((resolve) => {
      stream.on('error', () => resolve());
      stream.on('end', () => resolve());
    });
    stream.on('data', (message: SessionDown) => this.#heard(message));
    this.#stream = stream as never;
    const lastSequence = this.#last;
    this.#send({ case: 'hello', value: { instance, token, lastSequence, sdkVersion: 'test' } });
    const beat = setInterval(() => this.#send({ case: 'heartbeat', value: {} }), 500);
    await over;
    clearInterval(beat);
    this.#stream = undefined;
    this.#book = undefined;
    client.close();
  }

  #send(body: Up): void {
    this.#stream?.write(create(SessionUpSchema, { body } as never));
  }

  #heard({ body }: SessionDown): void {
    if (body.case === 'welcome') {
      // Counted from what the first snapshot has; later ones are followed by all that came since.
      if (this.#instrument === undefined) this.#last = body.value.lastSequence;
      this.#instrument = body.value.instruments.find((one) => one.symbol === symbol);
    } else if (body.case === 'book') {
      this.#book = body.value;
    } else if (body.case === 'order') {
      if (body.value.sequence !== this.#last + 1n)
        this.complaints.push(`order event ${body.value.sequence} follows ${this.#last}`);
      this.#last = body.value.sequence;
      this.events.push(body.value);
    }
  }

  /** The book and the pair's terms, once there is a certified one. */
  async market(withinMs = 15_000): Promise<{ book: BookUpdate; instrument: Instrument }> {
    return until('a certified book at the sidecar', withinMs, () => {
      const [book, instrument] = [this.#book, this.#instrument];
      const whole = book?.certified && book.askPrices.length > 0 && book.bidPrices.length > 0;
      return whole && instrument ? { book, instrument } : undefined;
    });
  }

  /** Sends an order; `type` says whether it takes or rests. */
  async order(ref: string, type: OrderType, side: Side, price: string, quantity: string): Promise<void> {
    const { book } = await this.market();
    const times = { causeMonoNs: book.receivedMonoNs, decidedMonoNs: book.receivedMonoNs + 1n };
    const intent = { ref, symbol, side, type, price, quantity, bookVersion: book.version, ...times };
    this.#send({ case: 'intent', value: intent });
  }

  eventsOf(ref: string): OrderEvent[] {
    return this.events.filter((event) => event.ref === ref);
  }

  cancel(ref: string): void {
    this.#send({ case: 'cancel', value: { ref } });
  }

  cancelAll(): void {
    this.#send({ case: 'cancel', value: { symbol } });
  }

  close(): void {
    this.#closed = true;
    this.#client?.close();
  }
}

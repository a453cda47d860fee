// The stream to the core beside us: reconnects for ever, keeps nothing. Both ends send everything they have
// whenever a stream begins, so a lost one costs only time.

import {
  AgentService,
  type AgentUp,
  AgentUpSchema,
  type CoreStatus,
  create,
  type MessageInitShape,
  makeClient,
} from '@flashpod/proto';
import * as grpc from '@grpc/grpc-js';
import { Backoff, type Clock, systemClock } from '../kube/index.js';

export interface LinkEvents {
  /** A stream began: nothing that was sent before counts. */
  readonly up: () => void;
  readonly status: (status: CoreStatus) => void;
  readonly down: (reason: string) => void;
}

const firstRetryMs = 50;
/** Short: the core is on this node, and after a crash it is back within a second. */
const longestRetryMs = 500;

export type UpBody = Exclude<MessageInitShape<typeof AgentUpSchema>['body'], undefined>;

export class CoreLink {
  readonly #client;
  readonly #events: LinkEvents;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  #stream: grpc.ClientDuplexStream<AgentUp, CoreStatus> | undefined;
  #connected = false;
  #stopped = false;
  #cancelRetry = () => {};

  constructor(socket: string, events: LinkEvents, clock: Clock = systemClock) {
    this.#client = makeClient(AgentService, `unix:${socket}`, grpc.credentials.createInsecure(), {
      'grpc.initial_reconnect_backoff_ms': firstRetryMs,
      'grpc.min_reconnect_backoff_ms': firstRetryMs,
      'grpc.max_reconnect_backoff_ms': longestRetryMs,
      'grpc.max_receive_message_length': 32 * 1024 * 1024,
    });
    this.#events = events;
    this.#clock = clock;
    this.#backoff = new Backoff(firstRetryMs, longestRetryMs, clock);
  }

  get connected(): boolean {
    return this.#connected;
  }

  start(): void {
    if (!this.#stopped) this.#open();
  }

  /** False when there is no stream; then the next one will begin with everything. */
  send(body: UpBody): boolean {
    if (this.#stream === undefined || !this.#connected) return false;
    this.#stream.write(create(AgentUpSchema, { body }));
    return true;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelRetry();
    this.#stream?.cancel();
    this.#client.close();
  }

  #open(): void {
    const stream = this.#client.control();
    this.#stream = stream;
    // The core answers a stream with its status at once; that is when it is up.
    stream.on('data', (status: CoreStatus) => {
      if (this.#stream !== stream) return;
      if (!this.#connected) {
        this.#connected = true;
        this.#backoff.reset();
        this.#events.up();
      }
      this.#events.status(status);
    });
    // `status` always follows and says why; without a listener `error` would end the process.
    stream.on('error', () => {});
    stream.on('end', () => stream.end());
    stream.on('status', (status: grpc.StatusObject) => this.#ended(stream, status));
  }

  #ended(stream: grpc.ClientDuplexStream<AgentUp, CoreStatus>, status: grpc.StatusObject): void {
    if (this.#stream !== stream) return;
    this.#stream = undefined;
    if (this.#connected) {
      this.#connected = false;
      this.#events.down(`${grpc.status[status.code]}: ${status.details}`);
    }
    if (!this.#stopped) this.#cancelRetry = this.#clock.after(this.#backoff.next(), () => this.#open());
  }
}

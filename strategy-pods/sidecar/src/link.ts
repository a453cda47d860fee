// The stream to the core: connects when the socket is there, says Hello, and comes back after every break.

import {
  makeClient,
  type ServiceClient,
  type SessionDown,
  type SessionUp,
  StrategyService,
} from '@flashpod/proto';
import { StrategyError } from '@flashpod/sdk';
import { type ClientDuplexStream, credentials, type ServiceError, status } from '@grpc/grpc-js';

export interface LinkEvents {
  /** Every message from Welcome on. An exception ends the session. */
  message(message: SessionDown): void;
  /** The session ended; the link tries again by itself. */
  down(error: StrategyError | Error): void;
  /** What was written has left. */
  writable(): void;
}

export interface LinkOptions {
  readonly socket: string;
  /** Made anew for every session: the token may have been rotated, the sequence has moved on. */
  readonly hello: () => SessionUp;
  readonly events: LinkEvents;
  readonly firstRetryMs?: number;
  readonly maxRetryMs?: number;
  /** A core that once sent heartbeats and then nothing for this long is not there. */
  readonly silenceMs?: number;
}

type Stream = ClientDuplexStream<SessionUp, SessionDown>;

// Messages that may wait in this process before the core counts as stalled.
const maxBacklog = 256;
const closeMs = 2_000;
// Between two attempts to connect: the core is on this node, and after a crash it is back within a second.
const longestReconnectMs = 250;

export class CoreLink {
  readonly #options: LinkOptions;
  #client: ServiceClient<typeof StrategyService> | undefined;
  #stream: Stream | undefined;
  #welcomed = false;
  #closed = false;
  #retryMs: number;
  #retry: NodeJS.Timeout | undefined;
  #silence: NodeJS.Timeout | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#retryMs = this.#firstRetryMs;
  }

  get connected(): boolean {
    return this.#welcomed;
  }

  get stalled(): boolean {
    return (this.#stream?.writableLength ?? 0) >= maxBacklog;
  }

  start(): void {
    try {
      const hello = this.#options.hello();
      // One client for all attempts: grpc-js goes on connecting for one that was closed before it could, and each
      // would come to hold a connection for ever.
      this.#client ??= makeClient(
        StrategyService,
        `unix:${this.#options.socket}`,
        credentials.createInsecure(),
        {
          // Own subchannels, with a back-off no longer than ours.
          'grpc.use_local_subchannel_pool': 1,
          'grpc.initial_reconnect_backoff_ms': this.#firstRetryMs,
          'grpc.min_reconnect_backoff_ms': this.#firstRetryMs,
          'grpc.max_reconnect_backoff_ms': longestReconnectMs,
          'grpc.enable_retries': 0,
          // grpc-js takes this much (1 MB by default) before it says that a write is not done: the reader's stall
          // must show in the backlog instead. It has to hold one Hello.
          'grpc.per_rpc_retry_buffer_size': 16 * 1024,
        },
      );
      this.#open(this.#client.session(), hello);
    } catch (error) {
      this.#down(error as Error);
    }
  }

  /** Returns false, and writes nothing, while there is no session or the core is stalled. */
  send(message: SessionUp): boolean {
    if (!this.#welcomed || this.stalled) return false;
    this.#stream?.write(message);
    return true;
  }

  /** Ends the session after everything written has left; waits for the core no longer than 2 s. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#silence);
    const stream = this.#stream;
    if (stream !== undefined) {
      await new Promise<void>((resolve) => {
        const late = setTimeout(resolve, closeMs);
        stream.once('status', () => {
          clearTimeout(late);
          resolve();
        });
        stream.end();
      });
    }
    this.#drop();
    this.#client?.close();
  }

  get #firstRetryMs(): number {
    return this.#options.firstRetryMs ?? 50;
  }

  #open(stream: Stream, hello: SessionUp): void {
    this.#stream = stream;
    // What a stream says after it was given up does not count.
    const current = () => this.#stream === stream && !this.#closed;
    stream.on('data', (message) => current() && this.#receive(message));
    stream.on('drain', () => current() && this.#options.events.writable());
    stream.on('error', (error: ServiceError) => current() && this.#down(describe(error)));
    stream.on('end', () => current() && this.#down(new Error('the core ended the session')));
    stream.write(hello);
  }

  #receive(message: SessionDown): void {
    if (message.body.case === 'welcome') {
      this.#welcomed = true;
      this.#retryMs = this.#firstRetryMs;
    }
    if (message.body.case === 'heartbeat' || this.#silence !== undefined) this.#expectMore();
    try {
      this.#options.events.message(message);
    } catch (error) {
      this.#down(error as Error);
    }
  }

  #expectMore(): void {
    clearTimeout(this.#silence);
    const silenceMs = this.#options.silenceMs ?? 5_000;
    this.#silence = setTimeout(
      () => this.#down(new Error(`the core was silent for ${silenceMs} ms`)),
      silenceMs,
    );
  }

  #down(error: Error): void {
    this.#drop();
    if (this.#closed) return;
    this.#options.events.down(error);
    this.#retry = setTimeout(() => this.start(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, this.#options.maxRetryMs ?? 1_000);
  }

  #drop(): void {
    clearTimeout(this.#silence);
    this.#silence = undefined;
    this.#welcomed = false;
    const stream = this.#stream;
    this.#stream = undefined;
    // Cancelling makes the stream report an error, which must still find a listener.
    stream?.cancel();
  }
}

function describe(error: ServiceError): Error {
  const refused = error.code === status.UNAUTHENTICATED || error.code === status.FAILED_PRECONDITION;
  const text = `${status[error.code]}: ${error.details}`;
  return refused
    ? new StrategyError('SESSION_REFUSED', `the core refused the session: ${text}`)
    : new Error(text);
}

// Recorded markets, read and certified on the pool of libuv, in batches of typed arrays.

import { type Batch, binding, type Replay as NativeReplay } from './binding.js';
import { mostLevels } from './book.js';
import * as check from './check.js';
import { call, nativeError, translated } from './errors.js';

export type { Batch };

/** What the numbers in `batch.kind` mean. */
export const eventKinds = { book: 0, trade: 1, snapshot: 2, lost: 3 } as const;

export interface ReplayOptions {
  /** Frame files, plain or gzip; merged by receive time. One without a snapshot continues the others of its pair. */
  readonly files: readonly string[];
  /** Only these pairs. Default: all. A pair that the recording does not hold is an error at its end. */
  readonly symbols?: readonly string[];
  /** Levels of each side in a row of `batch.books`, 0 to 5000. Default 20. */
  readonly levels?: number;
  /** Events in a batch, 1 to 1,000,000. Default 4096. More cost memory, fewer cost round trips. */
  readonly batchSize?: number;
  /** Keeps what was read for a `Market`, which must then follow: memory grows by what it has not seen. */
  readonly market?: boolean;
  readonly signal?: AbortSignal;
  /** Called after each batch. */
  readonly onProgress?: (progress: ReplayProgress) => void;
}

export interface ReplayProgress {
  /** Lines read so far, and events made of them. */
  readonly frames: number;
  readonly events: number;
  /** Changed levels in these events, those of snapshots left out. */
  readonly levelChanges: number;
  /** How far into the recording. */
  readonly elapsedMs: number;
}

/**
 * Iterate it: `for await (const batch of replay)`. While you work on one batch the next one is read on another thread.
 *
 * A batch and its arrays are yours: they are not used again, and freed when you let go of them. Books follow the
 * continuity rule of their market; an update that is known already makes no event, one that leaves a hole makes an
 * event of kind `lost`.
 */
export class Replay implements AsyncIterable<Batch>, AsyncDisposable {
  /** For `Market`. */
  readonly native: NativeReplay;
  readonly #options: ReplayOptions;
  readonly #batchSize: number;
  readonly #onAbort = (): void => this.native.cancel();
  #reading: Promise<unknown> = Promise.resolve();
  #frames = 0;
  #events = 0;
  #levelChanges = 0;
  #elapsedMs = 0;

  constructor(options: ReplayOptions) {
    const {
      files,
      symbols = [],
      levels = 20,
      batchSize = 4_096,
      market = false,
    } = check.object('options', options);
    check.texts('files', files, 1);
    check.texts('symbols', symbols);
    check.wholeNumber('levels', levels, 0, mostLevels);
    this.#batchSize = check.wholeNumber('batchSize', batchSize, 1, 1_000_000);
    this.#options = options;
    this.native = call(() => new binding.Replay([...files], [...symbols], levels, market === true));
    const { signal } = options;
    if (signal?.aborted) this.native.cancel();
    else signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** The next batch; undefined at the end. One read at a time. */
  async read(): Promise<Batch | undefined> {
    const reading = this.#read();
    this.#reading = reading.catch(() => undefined);
    const batch = await reading;
    if (batch !== undefined) this.#tell(batch);
    return batch;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Batch, void, void> {
    let next = this.#ahead();
    try {
      for (;;) {
        const batch = await next;
        if (batch === undefined) return;
        next = this.#ahead();
        this.#tell(batch);
        yield batch;
      }
    } finally {
      await this[Symbol.asyncDispose]();
    }
  }

  /** Ends a read that runs and closes the files. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.native.cancel();
    await this.#reading;
    this.native.dispose();
  }

  /** Reads on; a failure is kept until somebody asks for the batch. */
  #ahead(): Promise<Batch | undefined> {
    const reading = this.#read();
    this.#reading = reading.catch(() => undefined);
    return reading;
  }

  async #read(): Promise<Batch | undefined> {
    try {
      return (await this.native.read(this.#batchSize)) ?? undefined;
    } catch (error) {
      const { signal } = this.#options;
      if (signal?.aborted) throw nativeError('ABORTED', 'the replay was aborted', { cause: signal.reason });
      throw translated(error);
    }
  }

  #tell(batch: Batch): void {
    this.#frames += batch.frames;
    this.#events += batch.length;
    this.#levelChanges += batch.levelChanges;
    this.#elapsedMs = (batch.elapsedNs.at(-1) ?? this.#elapsedMs * 1e6) / 1e6;
    const [frames, events, levelChanges] = [this.#frames, this.#events, this.#levelChanges];
    this.#options.onProgress?.({ frames, events, levelChanges, elapsedMs: this.#elapsedMs });
  }
}

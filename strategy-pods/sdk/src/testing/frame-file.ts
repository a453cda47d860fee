// Frame files, plain or gzip, line by line, and several of them in order of time.

import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { StrategyError } from '../errors.js';
import { type Frame, parseFrame } from './frame.js';
import { smaller } from './resting.js';

export interface FileFrame extends Frame {
  readonly symbol: string;
}

function unreadable(file: string, cause: unknown): StrategyError {
  if (cause instanceof StrategyError) return cause;
  return new StrategyError('BAD_RECORDING', `recording ${file} cannot be read: ${(cause as Error).message}`, {
    cause,
  });
}

async function isGzip(file: string): Promise<boolean> {
  await using handle = await open(file, 'r');
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
  return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
}

async function openText(file: string): Promise<Readable> {
  const packed = await isGzip(file);
  const bytes = createReadStream(file);
  // The callback is there so that errors come out of the reader and nowhere else.
  const text = packed ? pipeline(bytes, createGunzip(), () => {}) : bytes;
  return text.setEncoding('utf8');
}

/** The frames of a file, one array per piece that was read; a snapshot without a pair is of the file's pair. */
export async function* framesOf(file: string): AsyncGenerator<Frame[]> {
  let rest = '';
  let line = 0;
  const read = (text: string): Frame[] =>
    text.split('\n').flatMap((one) => {
      line += 1;
      const frame = one.trim() === '' ? undefined : parseFrame(one, `${basename(file)} line ${line}`);
      return frame ?? [];
    });
  let text: Readable | undefined;
  try {
    text = await openText(file);
    for await (const chunk of text as AsyncIterable<string>) {
      const end = chunk.lastIndexOf('\n');
      if (end < 0) {
        rest += chunk;
        continue;
      }
      const whole = rest + chunk.slice(0, end);
      rest = chunk.slice(end + 1);
      yield read(whole);
    }
    if (rest !== '') yield read(rest);
  } catch (cause) {
    throw unreadable(file, cause);
  } finally {
    text?.destroy();
  }
}

/** A frame, and when its turn is: a receive time that jumped back does not change the order inside its file. */
interface Turn {
  readonly turnNs: bigint;
  readonly frame: FileFrame;
}

/** One file of several. */
class Cursor {
  /** Read and not yet given away, in order of their turns. */
  turns: Turn[] = [];
  readonly #frames: AsyncGenerator<Frame[]>;
  readonly #symbol: string;
  #over = false;
  #lastNs = 0n;

  constructor(file: string, symbol: string) {
    this.#frames = framesOf(file);
    this.#symbol = symbol;
  }

  get lastNs(): bigint {
    return this.#lastNs;
  }

  async fill(): Promise<void> {
    while (!this.#over && this.turns.length === 0) {
      const { done, value } = await this.#frames.next();
      this.#over = done === true;
      this.turns = (value ?? []).map((frame: Frame) => {
        if (frame.receivedNs > this.#lastNs) this.#lastNs = frame.receivedNs;
        return { turnNs: this.#lastNs, frame: { ...frame, symbol: frame.symbol ?? this.#symbol } };
      });
    }
  }

  takeUntil(horizonNs: bigint): Turn[] {
    const after = this.turns.findIndex(({ turnNs }) => turnNs > horizonNs);
    return this.turns.splice(0, after < 0 ? this.turns.length : after);
  }

  /** Closes the file. */
  async close(): Promise<void> {
    await this.#frames.return(undefined);
  }
}

/**
 * Several files in order of receive time; the order inside a file is never changed. `symbols[i]` is the pair of
 * `files[i]`.
 */
export async function* mergedFrames(
  files: readonly string[],
  symbols: readonly string[],
): AsyncGenerator<FileFrame[]> {
  const cursors = files.map((file, index) => new Cursor(file, symbols[index] ?? ''));
  try {
    for (;;) {
      for (const cursor of cursors) await cursor.fill();
      const live = cursors.filter(({ turns }) => turns.length > 0);
      if (live.length === 0) return;
      // Up to here every file is known: what comes later may still be overtaken.
      const horizonNs = live.map(({ lastNs }) => lastNs).reduce(smaller);
      const batch = live.flatMap((cursor) => cursor.takeUntil(horizonNs));
      if (live.length > 1) batch.sort((a, b) => Number(a.turnNs - b.turnNs));
      yield batch.map(({ frame }) => frame);
    }
  } finally {
    // Also for a reader that has seen enough.
    for (const cursor of cursors) await cursor.close();
  }
}

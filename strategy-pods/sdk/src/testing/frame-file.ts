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

/** Several files in order of receive time. `symbols[i]` is the pair of `files[i]`. */
export async function* mergedFrames(
  files: readonly string[],
  symbols: readonly string[],
): AsyncGenerator<FileFrame[]> {
  const cursors = files.map((file, index) => ({
    frames: framesOf(file),
    symbol: symbols[index] ?? '',
    read: [] as FileFrame[],
    over: false,
  }));
  for (;;) {
    for (const cursor of cursors) {
      while (!cursor.over && cursor.read.length === 0) {
        const { done, value } = await cursor.frames.next();
        cursor.over = done === true;
        cursor.read = (value ?? []).map((frame: Frame) => ({
          ...frame,
          symbol: frame.symbol ?? cursor.symbol,
        }));
      }
    }
    const live = cursors.filter(({ read }) => read.length > 0);
    if (live.length === 0) return;
    // Up to here every file is known: what comes later may still be overtaken.
    const horizon = live.map(({ read }) => read.at(-1)?.receivedNs ?? 0n).reduce(smaller);
    const batch: FileFrame[] = [];
    for (const cursor of live) {
      const after = cursor.read.findIndex(({ receivedNs }) => receivedNs > horizon);
      batch.push(...cursor.read.splice(0, after < 0 ? cursor.read.length : after));
    }
    yield live.length === 1 ? batch : batch.sort((a, b) => Number(a.receivedNs - b.receivedNs));
  }
}

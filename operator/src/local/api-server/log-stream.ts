import { once } from 'node:events';
import { type FSWatcher, watch } from 'node:fs';
import { open } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { StringDecoder } from 'node:string_decoder';
import type { LogLines } from './log-lines.js';

const TEXT = { 'content-type': 'text/plain' };
const PIECE_BYTES = 1024 * 1024;
const POLL_MS = 500;

export interface Part {
  readonly from: number;
  /** Undefined as long as it is not known where it ends: more may come, until `over`. */
  readonly end: () => number | undefined;
  readonly over: () => boolean;
}

/** Writes a part of a log, piece by piece: neither a long log nor a slow reader grows the server's memory. */
export async function pour(
  file: string,
  { from, end, over }: Part,
  lines: LogLines,
  response: ServerResponse,
): Promise<void> {
  const left = new AbortController();
  response.once('close', () => left.abort());
  const log = await open(file, 'r');
  const changes = new Changes(file);
  const decoder = new StringDecoder('utf8');
  const buffer = Buffer.alloc(PIECE_BYTES);
  const tell = async (text: string) => {
    if (text !== '' && !response.write(text)) await once(response, 'drain', { signal: left.signal });
  };
  try {
    response.writeHead(200, TEXT);
    response.flushHeaders();
    for (let position = from; !lines.isFull && !left.signal.aborted; ) {
      // Asked before it is read: what came before the end is all told.
      const wasOver = over();
      const { bytesRead } = await log.read(buffer, 0, PIECE_BYTES, position);
      // Asked after: a run that follows is noted before its first byte.
      const to = end();
      const kept = Math.max(0, Math.min(bytesRead, (to ?? Number.POSITIVE_INFINITY) - position));
      position += kept;
      await tell(lines.more(decoder.write(buffer.subarray(0, kept)), kept < PIECE_BYTES));
      if (kept > 0) continue;
      if (to !== undefined || wasOver) break;
      await changes.next();
    }
    await tell(lines.rest(decoder.end()));
    response.end();
  } catch {
    // The reader is gone, or the rest cannot be read: what was told is not the whole, and is not shown as such.
    response.destroy();
  } finally {
    changes.close();
    await log.close();
  }
}

/** When a file may have changed. Not every file system tells; then, and at the end of a pod, it is looked at. */
class Changes {
  readonly #watcher: FSWatcher | undefined;
  #changed = false;
  #wake = () => {};

  constructor(file: string) {
    try {
      this.#watcher = watch(file, () => {
        this.#changed = true;
        this.#wake();
      }).on('error', () => {});
    } catch {
      // There are only so many watches on a machine.
    }
  }

  async next(): Promise<void> {
    if (!this.#changed)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, POLL_MS);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    this.#changed = false;
  }

  close(): void {
    this.#watcher?.close();
  }
}

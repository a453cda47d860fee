import {
  closeSync,
  existsSync,
  fdatasync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { FlashpodError, messageOf } from '../../../errors.js';
import type { ApiObject } from '../kinds/kind.js';
import { corrupt, encodeRecord, HEADER, readRecords, type StateEnd, type StateRecord } from './records.js';

/** What was kept of an earlier run. */
export interface Restored {
  readonly version: number;
  readonly objects: readonly { readonly collection: string; readonly object: ApiObject }[];
  /** Bytes of a write that a crash cut short. */
  readonly torn: number;
}

/** A host crash may lose what was written in the last so many ms; the end of the process loses nothing. */
const SYNC_MS = 1000;
const MIN_COMPACT_BYTES = 8 * 1024 * 1024;
/** The log is folded into a snapshot when it is so many times as large as that. */
const COMPACT_RATIO = 2;
const FILE_MODE = 0o600;
const GENERATION = /^objects\.(\d+)\.(snapshot|log)$/;

/**
 * Objects on disk: a snapshot, and a log of the commits since. Each commit is written before it is told to anybody.
 * Secrets are among them: only their owner may read the files.
 */
export class StateDirectory {
  readonly restored: Restored;
  readonly #directory: string;
  #generation: number;
  #log: number;
  #logBytes: number;
  #snapshotBytes: number;
  #syncing: NodeJS.Timeout | undefined;

  private constructor(directory: string) {
    this.#directory = directory;
    const generations = readdirSync(directory).flatMap((name) => Number(GENERATION.exec(name)?.[1] ?? []));
    const snapshots = readdirSync(directory)
      .filter((name) => name.endsWith('.snapshot'))
      .flatMap((name) => Number(GENERATION.exec(name)?.[1] ?? []));
    this.#generation = Math.max(0, ...snapshots);
    const { objects, version, bytes } = this.#readSnapshot();
    const { length, torn, last } = this.#replayLog(objects, version);
    this.#snapshotBytes = bytes;
    this.#log = this.#openLog(length);
    this.#logBytes = Math.max(length, HEADER.length);
    this.restored = { version: last, objects: [...objects.values()], torn };
    for (const old of new Set(generations)) if (old !== this.#generation) this.#remove(old);
  }

  /** Makes the directory, or takes over what is in it. One process at a time. */
  static open(directory: string): StateDirectory {
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw new FlashpodError('local.state-directory', `cannot make ${directory}: ${messageOf(error)}`, {
        cause: error,
      });
    }
    lock(directory);
    try {
      return new StateDirectory(directory);
    } catch (error) {
      unlock(directory);
      throw error;
    }
  }

  /** Throws when the disk does not take it; then nothing has happened. */
  append(record: StateRecord): void {
    const line = encodeRecord(record);
    try {
      for (let done = 0; done < line.length; )
        done += writeSync(this.#log, line, done, line.length - done, this.#logBytes + done);
    } catch (error) {
      // A part of a line at the end would make the next one unreadable.
      ftruncateSync(this.#log, this.#logBytes);
      throw error;
    }
    this.#logBytes += line.length;
    this.#syncing ??= setTimeout(() => {
      this.#syncing = undefined;
      fdatasync(this.#log, () => {});
    }, SYNC_MS).unref();
  }

  get wantsSnapshot(): boolean {
    return this.#logBytes > Math.max(MIN_COMPACT_BYTES, COMPACT_RATIO * this.#snapshotBytes);
  }

  /** Begins a new log behind a snapshot of everything. */
  snapshot(version: number, objects: readonly StateRecord[]): void {
    const next = this.#generation + 1;
    const unfinished = join(this.#directory, `objects.${next}.unfinished`);
    const end: StateEnd = { end: objects.length, version };
    const content = Buffer.concat([Buffer.from(HEADER), ...objects.map(encodeRecord), encodeRecord(end)]);
    const file = openSync(unfinished, 'w', FILE_MODE);
    try {
      writeFileSync(file, content);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(unfinished, this.#path(next, 'snapshot'));
    const old = this.#generation;
    const former = this.#log;
    this.#generation = next;
    try {
      this.#log = this.#openLog(0);
    } catch (error) {
      // The log that is there goes on, and its generation with it.
      this.#generation = old;
      this.#remove(next);
      throw error;
    }
    closeSync(former);
    this.#logBytes = HEADER.length;
    this.#snapshotBytes = content.length;
    this.#remove(old);
  }

  close(): void {
    clearTimeout(this.#syncing);
    fsyncSync(this.#log);
    closeSync(this.#log);
    unlock(this.#directory);
  }

  #readSnapshot(): { objects: Map<string, StoredObject>; version: number; bytes: number } {
    const path = this.#path(this.#generation, 'snapshot');
    const objects = new Map<string, StoredObject>();
    if (!existsSync(path)) return { objects, version: 0, bytes: 0 };
    const content = readFileSync(path);
    const { records } = readRecords<StateRecord | StateEnd>(path, content);
    const end = records.at(-1);
    if (end === undefined || !('end' in end) || end.end !== records.length - 1)
      throw corrupt(path, records.length + 2, 'the snapshot is not whole');
    for (const record of records) if (!('end' in record)) fold(objects, record);
    return { objects, version: end.version, bytes: content.length };
  }

  #replayLog(
    objects: Map<string, StoredObject>,
    version: number,
  ): { length: number; torn: number; last: number } {
    const path = this.#path(this.#generation, 'log');
    if (!existsSync(path)) return { length: 0, torn: 0, last: version };
    const { records, length, torn } = readRecords<StateRecord>(path, readFileSync(path));
    for (const record of records) fold(objects, record);
    return { length, torn, last: records.at(-1)?.version ?? version };
  }

  /** Behind the last good record. */
  #openLog(length: number): number {
    const path = this.#path(this.#generation, 'log');
    const file = openSync(path, existsSync(path) ? 'r+' : 'w+', FILE_MODE);
    ftruncateSync(file, length);
    if (length === 0) writeSync(file, HEADER, 0);
    fsyncSync(file);
    syncDirectory(this.#directory);
    return file;
  }

  #path(generation: number, sort: 'snapshot' | 'log'): string {
    return join(this.#directory, `objects.${generation}.${sort}`);
  }

  #remove(generation: number): void {
    for (const sort of ['snapshot', 'log'] as const) rmSync(this.#path(generation, sort), { force: true });
  }
}

type StoredObject = Restored['objects'][number];

function fold(objects: Map<string, StoredObject>, { collection, key, object }: StateRecord): void {
  const place = `${collection}\0${key}`;
  if (object === null) objects.delete(place);
  else objects.set(place, { collection, object });
}

/** So that the names of new files survive a crash too. */
function syncDirectory(directory: string): void {
  const folder = openSync(directory, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function lock(directory: string): void {
  const path = join(directory, 'lock');
  const holder = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
  if (holder > 0 && holder !== process.pid && isAlive(holder))
    throw new FlashpodError('local.state-directory', `${directory} is in use by process ${holder}`);
  try {
    writeFileSync(path, String(process.pid), { mode: FILE_MODE });
  } catch (error) {
    throw new FlashpodError('local.state-directory', `cannot write to ${directory}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function unlock(directory: string): void {
  rmSync(join(directory, 'lock'), { force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

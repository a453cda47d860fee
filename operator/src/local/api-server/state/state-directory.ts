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
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { FlashpodError, messageOf } from '../../../errors.js';
import type { ApiObject } from '../kinds/kind.js';
import { lock, unlock } from './lock.js';
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
/** A snapshot for which there was no room is tried again when the log is so much longer, not with every commit. */
const POSTPONE_BYTES = 1024 * 1024;
const FILE_MODE = 0o600;
const FILE = /^objects\.(\d+)\.(snapshot|log|unfinished)$/;
type Sort = 'snapshot' | 'log' | 'unfinished';

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
  #snapshotAfter = MIN_COMPACT_BYTES;
  /** The disk refused to keep what it had taken: only a snapshot from memory makes that good. */
  #doubtful = false;
  #syncing: NodeJS.Timeout | undefined;

  private constructor(directory: string) {
    this.#directory = directory;
    const files = readdirSync(directory).flatMap((name) => {
      const [, generation, sort] = FILE.exec(name) ?? [];
      return generation === undefined ? [] : [{ generation: Number(generation), sort }];
    });
    const snapshots = files.filter(({ sort }) => sort === 'snapshot');
    this.#generation = Math.max(0, ...snapshots.map(({ generation }) => generation));
    for (const { generation, sort } of files)
      if (sort === 'log' && generation > this.#generation) this.#refuseRecords(generation);
    const { objects, version, bytes } = this.#readSnapshot();
    const { length, torn, last } = this.#replayLog(objects, version);
    this.#snapshotBytes = bytes;
    this.#log = this.#openLog(this.#generation, length);
    syncDirectory(directory);
    this.#logBytes = Math.max(length, HEADER.length);
    this.restored = { version: last, objects: [...objects.values()], torn };
    for (const { generation, sort } of files)
      if (generation !== this.#generation || sort === 'unfinished') this.#remove(generation, sort as Sort);
  }

  /** Makes the directory, or takes over what is in it. One process at a time. */
  static open(directory: string): StateDirectory {
    refusing(`cannot make ${directory}`, () => mkdirSync(directory, { recursive: true, mode: 0o700 }));
    refusing(`cannot write to ${directory}`, () => lock(directory));
    try {
      return refusing(`cannot use ${directory}`, () => new StateDirectory(directory));
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
      this.#cutLog();
      throw error;
    }
    this.#logBytes += line.length;
    this.#syncing ??= setTimeout(() => {
      this.#syncing = undefined;
      const generation = this.#generation;
      fdatasync(this.#log, (error) => {
        if (error === null || generation !== this.#generation) return;
        this.#doubtful = true;
        this.#snapshotAfter = 0;
      });
    }, SYNC_MS).unref();
  }

  get wantsSnapshot(): boolean {
    const usual = this.#doubtful ? 0 : COMPACT_RATIO * this.#snapshotBytes;
    return this.#logBytes > Math.max(this.#snapshotAfter, usual);
  }

  /** Begins a new log behind a snapshot of everything. Throws when there is no room; then the old log goes on. */
  snapshot(version: number, objects: readonly StateRecord[]): void {
    const old = this.#generation;
    const next = old + 1;
    const end: StateEnd = { end: objects.length, version };
    const content = Buffer.concat([Buffer.from(HEADER), ...objects.map(encodeRecord), encodeRecord(end)]);
    let log: number | undefined;
    try {
      writeDurably(this.#path(next, 'unfinished'), content);
      log = this.#openLog(next, 0);
      // From here on the new generation holds; all that it needs is there.
      renameSync(this.#path(next, 'unfinished'), this.#path(next, 'snapshot'));
    } catch (error) {
      this.#snapshotAfter = this.#logBytes + POSTPONE_BYTES;
      if (log !== undefined) closeSync(log);
      for (const sort of ['unfinished', 'log'] as const) this.#remove(next, sort);
      throw error;
    }
    closeSync(this.#log);
    this.#log = log;
    this.#generation = next;
    this.#logBytes = HEADER.length;
    this.#snapshotBytes = content.length;
    this.#snapshotAfter = MIN_COMPACT_BYTES;
    this.#doubtful = false;
    syncDirectory(this.#directory);
    // What can't be removed now is removed when the folder is opened the next time.
    for (const sort of ['snapshot', 'log'] as const) this.#remove(old, sort);
  }

  close(): void {
    clearTimeout(this.#syncing);
    try {
      fsyncSync(this.#log);
      closeSync(this.#log);
    } finally {
      // Its number may be another file's from now on.
      this.#log = -1;
      unlock(this.#directory);
    }
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

  /** A log begins with nothing before its snapshot is there; one with records has lost it. */
  #refuseRecords(generation: number): void {
    const path = this.#path(generation, 'log');
    if (statSync(path).size > HEADER.length)
      throw corrupt(path, 1, `${this.#path(generation, 'snapshot')}, on which it builds, is missing`);
  }

  /** Behind the last good record. */
  #openLog(generation: number, length: number): number {
    const path = this.#path(generation, 'log');
    const file = openSync(path, existsSync(path) ? 'r+' : 'w+', FILE_MODE);
    try {
      ftruncateSync(file, length);
      if (length === 0) writeSync(file, HEADER, 0);
      fsyncSync(file);
    } catch (error) {
      closeSync(file);
      throw error;
    }
    return file;
  }

  /** A part of a line at the end would make the next one unreadable, unless that is written over it. */
  #cutLog(): void {
    try {
      ftruncateSync(this.#log, this.#logBytes);
    } catch {
      // The next line is written over it; what it leaves is left out by the reader.
    }
  }

  #path(generation: number, sort: Sort): string {
    return join(this.#directory, `objects.${generation}.${sort}`);
  }

  #remove(generation: number, sort: Sort): void {
    rmSync(this.#path(generation, sort), { force: true });
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

function writeDurably(path: string, content: Buffer): void {
  const file = openSync(path, 'w', FILE_MODE);
  try {
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function refusing<T>(what: string, attempt: () => T): T {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof FlashpodError) throw error;
    throw new FlashpodError('local.state-directory', `${what}: ${messageOf(error)}`, { cause: error });
  }
}

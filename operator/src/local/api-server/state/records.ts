import { crc32 } from 'node:zlib';
import { FlashpodError } from '../../../errors.js';
import type { ApiObject } from '../kinds/kind.js';

/** One commit on disk: what is at a key since a version. */
export interface StateRecord {
  readonly version: number;
  readonly collection: string;
  readonly key: string;
  /** Null: removed. */
  readonly object: ApiObject | null;
}

/** The first line of every file; another format has another number, and is refused rather than guessed at. */
export const HEADER = 'flashpod-state 1\n';

/** A line of text: checksum of what follows, a blank, JSON. So a reader can look into it, and find the next line. */
export function encodeRecord(record: StateRecord | StateEnd): Buffer {
  const text = JSON.stringify(record);
  return Buffer.from(`${crc32(text).toString(16).padStart(8, '0')} ${text}\n`);
}

/** The last line of a snapshot: it is whole. */
export interface StateEnd {
  readonly end: number;
  readonly version: number;
}

export interface ReadFile<T> {
  readonly records: readonly T[];
  /** Bytes up to the end of the last good record. */
  readonly length: number;
  /** Bytes behind it: of a write that did not finish. */
  readonly torn: number;
}

/**
 * All records of a file. What is broken at its end, with nothing good behind it, is a write that a crash cut short,
 * and is left out; what is broken in the middle was damaged later, and is refused.
 */
export function readRecords<T>(path: string, content: Buffer): ReadFile<T> {
  const header = Buffer.from(HEADER);
  if (!content.subarray(0, header.length).equals(header)) {
    if (header.subarray(0, content.length).equals(content))
      return { records: [], length: 0, torn: content.length };
    throw corrupt(path, 1, `its first line is not "${HEADER.trim()}"`);
  }
  const records: T[] = [];
  let at = header.length;
  let good = at;
  let badLine: number | undefined;
  for (let line = 2; at < content.length; line += 1) {
    const newline = content.indexOf(0x0a, at);
    const end = newline < 0 ? content.length : newline;
    const record = newline < 0 ? undefined : decode<T>(content.subarray(at, end));
    at = end + 1;
    if (record === undefined) badLine ??= line;
    else if (badLine !== undefined)
      throw corrupt(path, badLine, 'its checksum is wrong, and good records follow it');
    else {
      records.push(record);
      good = at;
    }
  }
  return { records, length: good, torn: content.length - good };
}

function decode<T>(line: Buffer): T | undefined {
  const text = line.toString('utf8');
  const json = text.slice(9);
  if (text[8] !== ' ' || crc32(json).toString(16).padStart(8, '0') !== text.slice(0, 8)) return undefined;
  return JSON.parse(json) as T;
}

export function corrupt(path: string, line: number, problem: string): FlashpodError {
  return new FlashpodError('local.state-corrupt', `${path}, line ${line}: ${problem}`);
}

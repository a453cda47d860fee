import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** As the kubelet: at most so much of the end of a log. */
const mostBytes = 2048;
const mostLines = 80;

/** The end of what a run wrote into its log from byte `from` on. */
export function lastWords(file: string, from: number): string {
  const log = openSync(file, 'r');
  try {
    const { size } = fstatSync(log);
    const begin = Math.max(from, size - mostBytes);
    const bytes = Buffer.alloc(Math.max(0, size - begin));
    readSync(log, bytes, 0, bytes.length, begin);
    return bytes.toString('utf8').trimEnd().split('\n').slice(-mostLines).join('\n');
  } finally {
    closeSync(log);
  }
}

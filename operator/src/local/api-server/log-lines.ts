import { badRequest } from './api-error.js';

/** Which lines of a log are wanted. */
export interface LogLines {
  /** Of a log that is read once. */
  whole(text: string): string;
  /** Of the next piece of a log that is followed. */
  more(text: string): string;
}

/**
 * tailLines, sinceSeconds, sinceTime, limitBytes, timestamps. A line's time is the field `time` or `timestamp` of its
 * JSON; a line without one happened when the one before it did.
 */
export function logLines(query: URLSearchParams): LogLines {
  const tail = count(query, 'tailLines');
  const limit = count(query, 'limitBytes');
  const since = sinceOf(query);
  const stamped = query.get('timestamps') === 'true';
  let last = 0;
  let first = true;
  let unfinished = '';
  const select = (text: string): string[] => {
    const complete = (unfinished + text).split('\n');
    unfinished = complete.pop() ?? '';
    return complete.flatMap((line) => {
      last = timeOf(line) ?? last;
      if (last < since) return [];
      return [stamped ? `${new Date(last).toISOString()} ${line}` : line];
    });
  };
  const join = (lines: string[]): string => {
    const wanted =
      first && tail !== undefined ? lines.slice(lines.length - Math.min(tail, lines.length)) : lines;
    first = false;
    return wanted.map((line) => `${line}\n`).join('');
  };
  return {
    more: (text) => join(select(text)),
    whole: (text) => {
      const lines = select(text);
      // Also a line that is not finished yet.
      const rest = unfinished === '' ? [] : select('\n');
      const result = join([...lines, ...rest]);
      return limit === undefined ? result : Buffer.from(result).subarray(0, limit).toString('utf8');
    },
  };
}

function count(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^\d+$/.test(text)) throw badRequest(`${name} must be a whole number of at least 0, got "${text}"`);
  return Number(text);
}

function sinceOf(query: URLSearchParams): number {
  const seconds = count(query, 'sinceSeconds');
  if (seconds !== undefined) return Date.now() - seconds * 1000;
  const text = query.get('sinceTime');
  if (text === null) return Number.NEGATIVE_INFINITY;
  const time = Date.parse(text);
  if (Number.isNaN(time))
    throw badRequest(`sinceTime must be a time such as 2026-01-31T12:00:00Z, got "${text}"`);
  return time;
}

function timeOf(line: string): number | undefined {
  const number = /"time":(\d{13})\b/.exec(line)?.[1];
  if (number !== undefined) return Number(number);
  const text = /"(?:time|timestamp)":"(\d{4}-\d{2}-\d{2}T[^"]+)"/.exec(line)?.[1];
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

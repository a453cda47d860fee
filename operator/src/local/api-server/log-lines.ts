import { badRequest } from './api-error.js';

/** Which lines of a log are wanted. */
export interface LogLines {
  /** Of the next piece; `isNewest`: there is no more at present. */
  more(text: string, isNewest: boolean): string;
  /** At the end: also a line that is not finished. */
  rest(text: string): string;
  /** As much is told as was wanted. */
  readonly isFull: boolean;
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
  let unfinished = '';
  let room = limit ?? Number.POSITIVE_INFINITY;
  /** The newest so many, until all that was there at first is read. */
  let held: string[] | undefined = tail === undefined ? undefined : [];
  const select = (text: string): string[] => {
    const complete = (unfinished + text).split('\n');
    unfinished = complete.pop() ?? '';
    return complete.flatMap((line) => {
      last = timeOf(line) ?? last;
      if (last < since) return [];
      return [stamped ? `${new Date(last).toISOString()} ${line}` : line];
    });
  };
  const cut = (lines: readonly string[]): string => {
    const text = lines.map((line) => `${line}\n`).join('');
    const bytes = Buffer.byteLength(text);
    const fitting = bytes <= room ? text : Buffer.from(text).subarray(0, room).toString('utf8');
    room = Math.max(0, room - bytes);
    return fitting;
  };
  const take = (lines: string[], isNewest: boolean): string => {
    if (held === undefined || tail === undefined) return cut(lines);
    const newest = [...held, ...lines];
    const wanted = newest.slice(newest.length - Math.min(tail, newest.length));
    held = isNewest ? undefined : wanted;
    return isNewest ? cut(wanted) : '';
  };
  return {
    // Whether a line that is not finished belongs to the newest is known when it is.
    more: (text, isNewest) => take(select(text), isNewest && unfinished === ''),
    rest: (text) => {
      const lines = select(text);
      return take([...lines, ...(unfinished === '' ? [] : select('\n'))], true);
    },
    get isFull() {
      return room === 0;
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

// Holds an answer against the recorded one. What differs in every run is bound to its number when it is first seen.
import type { Value } from './format.ts';

const TOKEN = /<(time|microtime|age|version|address|(?:rv|uid|name|continue|hash|etag):\d+)>/g;
const FORMS: Readonly<Record<string, string>> = {
  time: '\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}Z',
  microtime: '\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{6}Z',
  age: '(?:\\d+[smhdy])+',
  version: '\\d+',
  address: '127\\.0\\.0\\.1:\\d+',
  rv: '\\d+',
  uid: '[0-9a-f-]{36}',
};

/** Of what a recording calls by a number, the value in this run. */
export class Bindings {
  readonly #values = new Map<string, string>();
  /** What was different there is different here. */
  readonly #taken = new Set<string>();

  /** A recorded request as it is to be sent now. */
  fill(value: Value): Value {
    if (typeof value === 'string') return this.text(value);
    if (Array.isArray(value)) return value.map((item) => this.fill(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, this.fill(inner)]));
  }

  text(text: string): string {
    return text.replaceAll(TOKEN, (whole, token: string) => {
      const value = this.#values.get(token);
      if (value === undefined) throw new Error(`${whole} is sent before any answer named it`);
      return value;
    });
  }

  /** Whether the text is what was recorded; learns what has no value yet. */
  matches(recorded: string, actual: string): boolean {
    const tokens: string[] = [];
    const pattern = recorded
      .split(TOKEN)
      .map((part, index) => {
        if (index % 2 === 0) return part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
        tokens.push(part);
        return `(${FORMS[part.split(':', 1)[0] ?? ''] ?? '.+?'})`;
      })
      .join('');
    const found = new RegExp(`^${pattern}$`, 's').exec(actual);
    if (found === null) return false;
    return tokens.every((token, index) => !token.includes(':') || this.#bind(token, found[index + 1] ?? ''));
  }

  #bind(token: string, value: string): boolean {
    const known = this.#values.get(token);
    if (known !== undefined) return known === value;
    this.#values.set(token, value);
    const [sort = ''] = token.split(':', 1);
    // Nothing else writes here: a list may well have the version of its newest object.
    if (sort === 'rv') return true;
    const place = `${sort} ${value}`;
    const taken = this.#taken.has(place);
    this.#taken.add(place);
    return !taken;
  }
}

export interface Difference {
  readonly path: string;
  readonly recorded: Value | undefined;
  readonly actual: Value | undefined;
}

export function differences(bindings: Bindings, recorded: Value, actual: Value, path = ''): Difference[] {
  if (typeof recorded === 'string' && typeof actual === 'string')
    return bindings.matches(recorded, actual) ? [] : [{ path, recorded, actual }];
  if (Array.isArray(recorded) && Array.isArray(actual)) {
    const length = Math.max(recorded.length, actual.length);
    return Array.from({ length }, (_, index) => index).flatMap((index) =>
      inner(bindings, recorded[index], actual[index], `${path}[${index}]`),
    );
  }
  if (isFields(recorded) && isFields(actual)) {
    const names = [...new Set([...Object.keys(recorded), ...Object.keys(actual)])];
    return names.flatMap((name) => inner(bindings, recorded[name], actual[name], `${path}.${name}`));
  }
  return recorded === actual ? [] : [{ path, recorded, actual }];
}

function inner(
  bindings: Bindings,
  recorded: Value | undefined,
  actual: Value | undefined,
  path: string,
): Difference[] {
  if (recorded === undefined || actual === undefined) return [{ path, recorded, actual }];
  return differences(bindings, recorded, actual, path);
}

function isFields(value: Value): value is { [key: string]: Value } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

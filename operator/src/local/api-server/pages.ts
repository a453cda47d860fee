import { randomUUID } from 'node:crypto';
import { badRequest, expired } from './api-error.js';
import type { ApiObject } from './kinds/kind.js';

export interface Page {
  readonly items: readonly ApiObject[];
  readonly version: string;
  readonly continue: string | undefined;
  /** How many more there are, where that is told. */
  readonly remaining: number | undefined;
}

interface Snapshot {
  readonly items: readonly ApiObject[];
  readonly version: string;
}

/** Lists that are read page by page keep their snapshot; this many at once. */
const MAX_SNAPSHOTS = 64;

const TOKEN = /^[0-9a-f-]{36}$/;
const TOO_OLD =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.';

/** Long lists in pieces, all pieces from one moment: what the first page left is kept until it is asked for. */
export class Pages {
  readonly #left = new Map<string, Snapshot>();

  first(snapshot: Snapshot, limit: number, counted: boolean): Page {
    if (!(limit > 0) || snapshot.items.length <= limit)
      return { ...snapshot, continue: undefined, remaining: undefined };
    const items = snapshot.items.slice(limit);
    const token = randomUUID();
    this.#left.set(token, { items, version: snapshot.version });
    const [oldest] = this.#left.keys();
    if (this.#left.size > MAX_SNAPSHOTS && oldest !== undefined) this.#left.delete(oldest);
    return {
      items: snapshot.items.slice(0, limit),
      version: snapshot.version,
      continue: token,
      remaining: counted ? items.length : undefined,
    };
  }

  next(token: string, limit: number, counted: boolean): Page {
    if (!TOKEN.test(token))
      throw badRequest('invalid continue token: continue key is not valid: it is none that a list carried');
    const snapshot = this.#left.get(token);
    if (snapshot === undefined) throw expired(TOO_OLD);
    this.#left.delete(token);
    return this.first(snapshot, limit, counted);
  }
}

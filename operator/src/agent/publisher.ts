// Writes status: at once when it matters, else at most once a second per object, one write per object at a time.

import { Backoff, type Clock, systemClock } from '../kube/index.js';
import { within } from './within.js';

export interface PublisherOptions {
  /** Brings the status of this object up to date. Throwing means: again, a little later. */
  readonly write: (key: string) => Promise<void>;
  readonly onError: (key: string, error: unknown) => void;
  readonly everyMs: number;
  readonly clock?: Clock;
}

/** Urgent writes of one object keep this distance, lest a flapping state flood the API server. */
const urgentSpacingMs = 50;

interface Entry {
  /** What the last urgent matter was, so that it is urgent once. */
  digest: string;
  lastWrite: number;
  dueAt: number;
  cancel: () => void;
  writing: Promise<void> | undefined;
  readonly backoff: Backoff;
}

export class Publisher {
  readonly #options: PublisherOptions;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  #stopped = false;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** There may be something to write. `digest` holds what must be told at once when it changes. */
  mark(key: string, digest: string): void {
    if (this.#stopped) return;
    const entry = this.#entry(key);
    const urgent = entry.digest !== digest;
    entry.digest = digest;
    this.#schedule(key, entry, entry.lastWrite + (urgent ? urgentSpacingMs : this.#options.everyMs));
  }

  forget(key: string): void {
    this.#entries.get(key)?.cancel();
    this.#entries.delete(key);
  }

  /** Writes everything a last time, for at most `withinMs`. */
  async stop(withinMs: number): Promise<void> {
    this.#stopped = true;
    const last = [...this.#entries].map(async ([key, entry]) => {
      entry.cancel();
      await entry.writing;
      await this.#options.write(key).catch((error: unknown) => this.#options.onError(key, error));
    });
    await within(this.#clock, withinMs, Promise.all(last));
  }

  #entry(key: string): Entry {
    const known = this.#entries.get(key);
    if (known) return known;
    const entry: Entry = {
      digest: '',
      lastWrite: Number.NEGATIVE_INFINITY,
      dueAt: Number.POSITIVE_INFINITY,
      cancel: () => {},
      writing: undefined,
      backoff: new Backoff(100, 5_000, this.#clock),
    };
    this.#entries.set(key, entry);
    return entry;
  }

  #schedule(key: string, entry: Entry, at: number): void {
    if (entry.dueAt <= at || this.#stopped) return;
    entry.dueAt = at;
    entry.cancel();
    // While a write is under way the next one is started by its end.
    if (entry.writing === undefined) this.#arm(key, entry);
  }

  #arm(key: string, entry: Entry): void {
    entry.cancel = this.#clock.after(Math.max(0, entry.dueAt - this.#clock.now()), () => {
      entry.writing = this.#write(key, entry);
    });
  }

  async #write(key: string, entry: Entry): Promise<void> {
    entry.dueAt = Number.POSITIVE_INFINITY;
    entry.lastWrite = this.#clock.now();
    try {
      await this.#options.write(key);
      entry.backoff.reset();
    } catch (error) {
      this.#options.onError(key, error);
      entry.dueAt = Math.min(entry.dueAt, this.#clock.now() + entry.backoff.next());
    }
    entry.writing = undefined;
    if (entry.dueAt < Number.POSITIVE_INFINITY && !this.#stopped && this.#entries.get(key) === entry)
      this.#arm(key, entry);
  }
}

import type { ResourceClient } from './client.js';
import { type Clock, systemClock } from './clock.js';
import { microTimestamp } from './conditions.js';
import { isAlreadyExists, isConflict, isNotFound } from './errors.js';
import type { Lease } from './resources.js';
import type { ObjectKey, Stored } from './types.js';

export interface LeaseLockOptions {
  readonly key: ObjectKey;
  readonly identity: string;
  readonly durationSeconds: number;
  readonly clock?: Clock;
  /** Labels for a Lease that we create. */
  readonly labels?: Record<string, string>;
}

interface AttemptOptions {
  readonly annotations?: Record<string, string>;
  readonly signal?: AbortSignal;
}

export type LeaseAttempt =
  | {
      readonly held: true;
      readonly lease: Stored<Lease>;
      /** True when somebody else (or nobody) held it before. */
      readonly acquired: boolean;
      /** Our clock just before the request left: the lease is good from here on, not from the answer on. */
      readonly since: number;
    }
  | {
      readonly held: false;
      readonly holder: string;
      /** How long until it may be taken over if its holder stays silent. */
      readonly retryAfterMs: number;
      readonly lease: Stored<Lease> | undefined;
    };

/**
 * One Lease, taken and renewed by compare-and-set on its resourceVersion.
 *
 * Another holder's times are never compared with our clock. A lease is free when we ourselves saw its record
 * unchanged for its whole duration, so skewed clocks cannot make two holders.
 */
export class LeaseLock {
  readonly key: ObjectKey;
  readonly identity: string;
  readonly #client: ResourceClient<Lease>;
  readonly #options: LeaseLockOptions;
  readonly #clock: Clock;
  #seen: Stored<Lease> | undefined;
  #seenAt = 0;

  constructor(client: ResourceClient<Lease>, options: LeaseLockOptions) {
    this.#client = client;
    this.#options = options;
    this.key = options.key;
    this.identity = options.identity;
    this.#clock = options.clock ?? systemClock;
  }

  /** The Lease as last read or written by us. */
  get lease(): Stored<Lease> | undefined {
    return this.#seen;
  }

  /** Reads it, so that the time of its silence begins to count. */
  async read(signal?: AbortSignal): Promise<Stored<Lease> | undefined> {
    const lease = await this.#client.find(this.key, this.#call(signal));
    this.#observe(lease);
    return lease;
  }

  /**
   * Takes the Lease if it is free or ours, renews it if ours. `annotations` are merged into the Lease's own.
   * Throws when the API server does not answer; then nothing is known, and the old deadline stays.
   */
  async tryAcquireOrRenew(options: AttemptOptions = {}): Promise<LeaseAttempt> {
    // A holder renews without reading: half the requests, and a conflict tells just as surely.
    if (this.#seen === undefined || this.#seen.spec?.holderIdentity !== this.identity)
      await this.read(options.signal);
    const before = this.#seen;
    const holder = before?.spec?.holderIdentity ?? '';
    if (before !== undefined && holder !== '' && holder !== this.identity) {
      const retryAfterMs = this.#freeInMs(before);
      if (retryAfterMs > 0) return { held: false, holder, retryAfterMs, lease: before };
    }
    return this.#attempt(options, false);
  }

  async #attempt(options: AttemptOptions, again: boolean): Promise<LeaseAttempt> {
    const before = this.#seen;
    const holder = before?.spec?.holderIdentity ?? '';
    const since = this.#clock.now();
    const wanted = this.#record(before, options.annotations);
    try {
      const lease =
        before === undefined
          ? await this.#client.create(wanted, this.#call(options.signal))
          : await this.#client.replace(wanted, this.#call(options.signal));
      this.#observe(lease);
      return { held: true, lease, acquired: holder !== this.identity, since };
    } catch (error) {
      if (!isConflict(error) && !isAlreadyExists(error) && !isNotFound(error)) throw error;
      // Somebody wrote in between, or it was us and the answer got lost. Read who.
      const lease = await this.read(options.signal);
      const now = lease?.spec?.holderIdentity ?? '';
      if (!again && now === this.identity) return this.#attempt(options, true);
      const retryAfterMs = lease === undefined || now === '' ? 0 : this.#freeInMs(lease);
      return { held: false, holder: now, retryAfterMs, lease };
    }
  }

  /** Lets go, if it is still ours, so that the next holder need not wait. The record and its annotations stay. */
  async release(signal?: AbortSignal): Promise<boolean> {
    const lease = await this.read(signal);
    if (lease === undefined || lease.spec?.holderIdentity !== this.identity) return false;
    const spec = { ...lease.spec, holderIdentity: '', renewTime: microTimestamp(this.#clock.wall()) };
    try {
      this.#observe(await this.#client.replace({ ...lease, spec }, this.#call(signal)));
      return true;
    } catch (error) {
      if (isConflict(error)) return false;
      throw error;
    }
  }

  #freeInMs(lease: Stored<Lease>): number {
    const durationMs = (lease.spec?.leaseDurationSeconds ?? this.#options.durationSeconds) * 1000;
    return Math.max(0, this.#seenAt + durationMs - this.#clock.now());
  }

  /** Silence counts from when we saw this very record for the first time. */
  #observe(lease: Stored<Lease> | undefined): void {
    const changed =
      lease?.metadata.resourceVersion !== this.#seen?.metadata.resourceVersion ||
      lease?.metadata.uid !== this.#seen?.metadata.uid;
    if (changed) this.#seenAt = this.#clock.now();
    this.#seen = lease;
  }

  #record(before: Stored<Lease> | undefined, annotations: Record<string, string> | undefined): Lease {
    const now = microTimestamp(this.#clock.wall());
    const ours = before?.spec?.holderIdentity === this.identity;
    const transitions = before?.spec?.leaseTransitions ?? 0;
    const spec = {
      holderIdentity: this.identity,
      leaseDurationSeconds: this.#options.durationSeconds,
      acquireTime: ours ? (before?.spec?.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: before === undefined || ours ? transitions : transitions + 1,
    };
    if (before === undefined) {
      const { labels } = this.#options;
      const metadata = {
        ...this.key,
        ...(labels === undefined ? {} : { labels }),
        ...(annotations === undefined ? {} : { annotations }),
      };
      return { metadata, spec };
    }
    const metadata = { ...before.metadata, annotations: { ...before.metadata.annotations, ...annotations } };
    return { ...before, metadata, spec };
  }

  /** A renewal that is answered after the lease has ended is worth nothing: give up well before. */
  #call(signal: AbortSignal | undefined): { timeoutMs: number; signal?: AbortSignal } {
    const timeoutMs = Math.max(1000, (this.#options.durationSeconds * 1000) / 3);
    return signal === undefined ? { timeoutMs } : { timeoutMs, signal };
  }
}

// The Lease of one account as an object: how long it says it lasts, and what holds while it is missing.

import { accountLeaseName, labels, managedBy } from '../api/names.js';
import { TradingAccounts } from '../api/resources.js';
import { type Clock, type KubeClient, LeaseLock, Leases } from '../kube/index.js';

export interface LeaseRecordOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly account: string;
  readonly core: string;
  /** UID of our pod. */
  readonly identity: string;
}

export class LeaseRecord {
  readonly #options: LeaseRecordOptions;
  readonly #clock: Clock;
  #lock: LeaseLock | undefined;
  #seconds = 0;
  /** Since when, by our clock, we have seen no Lease while the account names another holder. */
  #missingSince: number | undefined;

  constructor(options: LeaseRecordOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /**
   * The lock, with a record that lasts at least so long. A longer one is on record before the core is told that it
   * may write for longer. It never becomes shorter: another would begin while our core may still go by the longer.
   */
  lasting(durationSeconds: number): LeaseLock {
    if (this.#lock !== undefined && durationSeconds <= this.#seconds) return this.#lock;
    const { client, namespace, account, identity, core } = this.#options;
    this.#seconds = Math.max(durationSeconds, this.#seconds);
    this.#lock = new LeaseLock(client.of(Leases), {
      key: { namespace, name: accountLeaseName(account) },
      identity,
      durationSeconds: this.#seconds,
      clock: this.#clock,
      labels: { [labels.managedBy]: managedBy, [labels.account]: account, [labels.core]: core },
    });
    return this.#lock;
  }

  /** It was deleted: begin anew with what is there. */
  forget(): void {
    this.#lock = undefined;
  }

  seen(): void {
    this.#missingSince = undefined;
  }

  /** A Lease that is missing says nothing of its holder, who may still write. The account does: it gets its silence. */
  async silenceOfMissing(durationSeconds: number): Promise<{ holder: string; leftMs: number } | undefined> {
    const { client, namespace, account: name, identity } = this.#options;
    const { status } = await client.of(TradingAccounts).get({ namespace, name });
    const holder = status?.holder ?? '';
    if (holder === '' || holder === identity) return undefined;
    this.#missingSince ??= this.#clock.now();
    const leftMs = this.#missingSince + durationSeconds * 1_000 - this.#clock.now();
    return leftMs > 0 ? { holder, leftMs } : undefined;
  }

  /** Lets go, so that the next holder can begin at once. */
  async release(): Promise<void> {
    await this.#lock?.release(AbortSignal.timeout(2_000)).catch(() => false);
  }
}

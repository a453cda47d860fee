// Takes and renews the Lease of one account, and tells the core how long it may write.

import type { TradingAccount } from '@flashpod/crds';
import type { AccountStatus } from '@flashpod/proto';
import { annotations } from '../api/names.js';
import { TradingAccounts } from '../api/resources.js';
import { updateStatus } from '../api/status.js';
import { type Clock, isNotFound, sleep, systemClock } from '../kube/index.js';
import { Announcer } from './announcer.js';
import { epochFor } from './epoch.js';
import { LeaseRecord, type LeaseRecordOptions } from './lease-record.js';
import type { UpBody } from './link.js';

export type Tenure =
  /** The core is not there, or has not read yet what epochs there were. */
  | { readonly state: 'Waiting'; readonly message: string }
  | { readonly state: 'Held'; readonly epoch: number }
  | { readonly state: 'Other'; readonly holder: string }
  /** The API server does not answer; the core counts down by itself. */
  | { readonly state: 'Unreachable'; readonly message: string; readonly epoch: number | undefined };

export interface AccountLeaseOptions extends LeaseRecordOptions {
  /** The account and what the core says of it, as last seen. */
  readonly spec: () => TradingAccount['spec'] | undefined;
  readonly seenByCore: () => AccountStatus | undefined;
  /** Why no core may begin to write for the account; undefined when one may. */
  readonly barred?: () => string | undefined;
  readonly send: (body: UpBody) => boolean;
  readonly onTenure: (tenure: Tenure) => void;
  readonly clock?: Clock;
}

const retryMs = 500;

export class AccountLease {
  readonly #options: AccountLeaseOptions;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  readonly #record: LeaseRecord;
  #tenure: Tenure = { state: 'Waiting', message: 'the core has not been heard of yet' };
  #running: Promise<void> | undefined;
  #wake = () => {};
  #hurried = false;
  readonly #announcer: Announcer;

  constructor(options: AccountLeaseOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#record = new LeaseRecord(options, this.#clock);
    this.#announcer = new Announcer(options, this.#clock);
  }

  get tenure(): Tenure {
    return this.#tenure;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Attempts now: the core came back and has no deadline yet, or it became ready. */
  hurry(): void {
    this.#hurried = true;
    this.#wake();
    // What was announced before may have been lost with the stream.
    this.#announcer.giveUp();
  }

  /** The core reported. */
  heard(): void {
    this.#announcer.heard();
  }

  /** Stops renewing. `release` lets the next holder take over at once: only when our core is known to be silent. */
  async stop(release: boolean): Promise<void> {
    this.#stop.abort();
    this.#wake();
    await this.#running;
    if (release && this.#tenure.state === 'Held') await this.#record.release();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.#hurried = false;
      let waitMs = retryMs;
      try {
        waitMs = await this.#step(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (isNotFound(error)) this.#record.forget();
        const epoch = 'epoch' in this.#tenure ? this.#tenure.epoch : undefined;
        this.#become({
          state: 'Unreachable',
          message: error instanceof Error ? error.message : String(error),
          epoch,
        });
      }
      if (this.#hurried) continue;
      const wake = new AbortController();
      this.#wake = () => wake.abort();
      await sleep(this.#clock, waitMs, AbortSignal.any([signal, wake.signal]));
    }
  }

  /** One attempt; returns how long to wait before the next. */
  async #step(signal: AbortSignal): Promise<number> {
    const { account, send, identity, spec, seenByCore } = this.#options;
    const lease = spec()?.lease;
    const seen = seenByCore();
    if (lease === undefined || seen === undefined) {
      const message = lease === undefined ? `there is no account ${account}` : 'the core is not connected';
      this.#become({ state: 'Waiting', message });
      return retryMs;
    }
    let lock = this.#record.lasting(lease.durationSeconds);
    const held = (seen.ready ? lock.lease : undefined) ?? (await lock.read(signal));
    if (held !== undefined) this.#record.seen();
    const holder = held?.spec?.holderIdentity;
    if (held !== undefined && holder === identity) {
      // Another agent waits as long as the record says: never shorter than what our core was told before.
      lock = this.#record.lasting(Math.max(lease.durationSeconds, held.spec?.leaseDurationSeconds ?? 0));
    } else if (!seen.ready) {
      // Before a new epoch the core must have read its journal and the venue; with our own we just go on.
      if (holder) return this.#otherHolds(holder, retryMs);
      this.#become({ state: 'Waiting', message: 'the core is still reconciling' });
      return retryMs;
    }
    // With the Lease it has, it may finish what it began; the policy of its instances ends that.
    const barred = holder === identity ? undefined : this.#options.barred?.();
    if (barred !== undefined) {
      this.#become({ state: 'Waiting', message: barred });
      return retryMs;
    }
    const silent = held === undefined && (await this.#record.silenceOfMissing(lease.durationSeconds));
    if (silent) return this.#otherHolds(silent.holder, silent.leftMs);

    let attempt = await this.#announcer.announce(signal);
    if (attempt === undefined) return this.#unheard(signal);
    let result = await lock.tryAcquireOrRenew({ signal });
    if (!result.held) return this.#otherHolds(result.holder, result.retryAfterMs);
    const leaseEpoch = Number(result.lease.metadata.annotations?.[annotations.epoch]) || 0;
    const epoch = await this.#epoch(leaseEpoch, Number(seen.highestEpochSeen), seen.ready);
    if (epoch === undefined) return retryMs;
    if (epoch !== leaseEpoch) {
      attempt = await this.#announcer.announce(signal);
      if (attempt === undefined) return this.#unheard(signal);
      result = await lock.tryAcquireOrRenew({ signal, annotations: { [annotations.epoch]: String(epoch) } });
      if (!result.held) return this.#otherHolds(result.holder, result.retryAfterMs);
    }
    const softDeadlineMs = BigInt(lease.softSeconds * 1_000);
    const hardDeadlineMs = BigInt(lease.hardSeconds * 1_000);
    send({
      case: 'leaseRenewed',
      value: { account, attempt, epoch: BigInt(epoch), softDeadlineMs, hardDeadlineMs },
    });
    this.#become({ state: 'Held', epoch });
    return lease.renewSeconds * 1_000;
  }

  #unheard(signal: AbortSignal): number {
    // Told to stop or to begin anew: that says nothing about the core.
    if (!signal.aborted && !this.#hurried)
      this.#become({ state: 'Waiting', message: 'the core does not answer' });
    return retryMs;
  }

  /** Our epoch, written to the account before anyone acts on it. Undefined: a new one is needed, and it is too early. */
  async #epoch(leaseEpoch: number, highestSeen: number, ready: boolean): Promise<number | undefined> {
    const { client, namespace, account: name, identity, core } = this.#options;
    const accounts = client.of(TradingAccounts);
    const account = await accounts.get({ namespace, name });
    const facts = ({ status }: TradingAccount) => ({
      identity,
      leaseEpoch,
      highestSeen,
      statusHolder: status?.holder,
      statusEpoch: status?.epoch ?? 0,
    });
    if (epochFor(facts(account)).isNew && !ready) {
      this.#become({ state: 'Waiting', message: 'the core is still reconciling' });
      return undefined;
    }
    const written = await updateStatus(accounts, account, (current) => {
      const { epoch } = epochFor(facts(current));
      return { ...current.status, holder: identity, epoch, core };
    });
    return written?.status?.epoch;
  }

  #otherHolds(holder: string, freeInMs: number): number {
    this.#become(
      holder === ''
        ? { state: 'Waiting', message: 'the Lease was just written' }
        : { state: 'Other', holder },
    );
    return Math.min(Math.max(freeInMs, retryMs), 5_000);
  }

  #become(tenure: Tenure): void {
    const before = this.#tenure;
    this.#tenure = tenure;
    if (JSON.stringify(before) !== JSON.stringify(tenure)) this.#options.onTenure(tenure);
  }
}

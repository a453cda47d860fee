// What the core reports, written into the API: which object, when, and what is worth telling at once.

import type { StrategyInstance } from '@flashpod/crds';
import type { CoreStatus } from '@flashpod/proto';
import { checkpointEveryMs, statusEveryMs } from '../api/defaults.js';
import {
  type Caches,
  ExecutionCores,
  Halts,
  mergePatchOf,
  StrategyInstances,
  stableJson,
  TradingAccounts,
  updateStatus,
} from '../api/index.js';
import { type Clock, type KubeClient, type MergePatch, type Stored, systemClock } from '../kube/index.js';
import type { Tenure } from './account-lease.js';
import { Publisher } from './publisher.js';
import { accountStatus } from './status/account.js';
import { coreStatus, haltStatus } from './status/core.js';
import { instanceStatus } from './status/instance.js';

export interface ReportsOptions {
  readonly client: KubeClient;
  readonly caches: Caches;
  readonly namespace: string;
  readonly core: string;
  readonly tenure: (account: string) => Tenure | undefined;
  readonly generationInForce: (instance: string) => number | undefined;
  readonly onError: (key: string, error: unknown) => void;
  readonly clock?: Clock;
}

/** Fields that change though nothing happened. */
const timeFields = new Set(['checkpoint', 'checkpointAt']);
/** The core writes at least once a second; silent for longer, it is stopped or stuck. */
const silenceMs = 5_000;

export class Reports {
  readonly #options: ReportsOptions;
  readonly #clock: Clock;
  readonly #publisher: Publisher;
  /** What we wrote last, and the cached copy it was based on: until the watch catches up, ours is newer. */
  readonly #written = new Map<string, { base: Stored<StrategyInstance>; result: Stored<StrategyInstance> }>();
  readonly #checkpoints = new Map<string, number>();
  #seen: CoreStatus | undefined;
  #seenAt: number;
  #trouble: string | undefined = 'the core has not been heard of yet';

  constructor(options: ReportsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#seenAt = this.#clock.now();
    const { onError } = options;
    this.#publisher = new Publisher({
      onError,
      everyMs: statusEveryMs,
      clock: this.#clock,
      write: (key) => this.#write(key),
    });
  }

  /** Our core's last report, while the stream lasts. */
  get seen(): CoreStatus | undefined {
    return this.#trouble === undefined ? this.#seen : undefined;
  }

  report(status: CoreStatus): void {
    this.#seen = status;
    this.#seenAt = this.#clock.now();
    this.#trouble = undefined;
    this.markAll();
  }

  disconnected(reason: string): void {
    this.#trouble = reason;
    this.markAll();
  }

  /** To be called about once a second: a core that hangs sends nothing that would call us. */
  tick(): void {
    const isSilent = this.#clock.now() - this.#seenAt > silenceMs;
    if (this.#trouble === undefined && isSilent) {
      this.#trouble = `the core has been silent for more than ${silenceMs / 1_000} s`;
    }
    // What a former agent wrote says that it trades; without a core nobody knows.
    if (this.#seen === undefined && isSilent) this.#markUnheard();
    this.markAll();
  }

  #markUnheard(): void {
    const { core, caches, namespace } = this.#options;
    for (const { metadata, spec } of caches.instances.store.list())
      if (spec.coreRef.name === core) this.#publisher.mark(`instance/${metadata.name}`, `${this.#trouble}`);
    for (const account of caches.cores.store.get({ namespace, name: core })?.spec.accounts ?? [])
      this.#publisher.mark(`account/${account}`, `${this.#trouble}`);
  }

  markAll(): void {
    const [seen, trouble] = [this.#seen, this.#trouble];
    const { core, caches, namespace, tenure } = this.#options;
    this.#publisher.mark(`core/${core}`, `${trouble}`);
    if (seen === undefined) return;
    for (const seenInstance of seen.instances) {
      const { instance, state, reasons, sidecarConnected, capitalError, proof } = seenInstance;
      // An order more or less can wait for its second; whether it trades, and whether it stopped, cannot.
      const stop = [proof?.provenUnixNs.toString(), proof?.noOpenOrders, proof?.flat, proof?.waitingFor];
      const generation = this.#options.generationInForce(instance);
      const digest = stableJson([trouble, state, reasons, sidecarConnected, capitalError, stop, generation]);
      this.#publisher.mark(`instance/${instance}`, digest);
    }
    for (const { account, ready, state, symbols, ledgerEqualsVenue } of seen.accounts) {
      const digest = stableJson([
        trouble,
        ready,
        state,
        symbols.length,
        ledgerEqualsVenue,
        tenure(account)?.state,
      ]);
      this.#publisher.mark(`account/${account}`, digest);
    }
    for (const { uid, blockedUnixNs, cancelsSentUnixNs, flat, instances } of seen.halts) {
      const halt = caches.halts.store.list().find(({ metadata }) => metadata.uid === uid);
      if (halt === undefined || halt.metadata.namespace !== namespace) continue;
      const digest = [blockedUnixNs, cancelsSentUnixNs, flat, instances].join();
      this.#publisher.mark(`halt/${halt.metadata.name}`, digest);
    }
  }

  stop(withinMs: number): Promise<void> {
    return this.#publisher.stop(withinMs);
  }

  async #write(key: string): Promise<void> {
    const slash = key.indexOf('/');
    const name = key.slice(slash + 1);
    switch (key.slice(0, slash)) {
      case 'instance':
        return this.#writeInstance(name);
      case 'account':
        return this.#writeAccount(name);
      case 'core':
        return this.#writeCore(name);
      case 'halt':
        return this.#writeHalt(name);
    }
  }

  async #writeInstance(name: string): Promise<void> {
    const { client, caches, namespace, generationInForce } = this.#options;
    const cached = caches.instances.store.get({ namespace, name });
    if (cached === undefined) {
      this.#written.delete(name);
      this.#checkpoints.delete(name);
      return this.#publisher.forget(`instance/${name}`);
    }
    const own = this.#written.get(name);
    const current = own?.base === cached ? own.result : cached;
    const seen = this.#seen?.instances.find(({ instance }) => instance === name);
    const wanted = instanceStatus(seen, current.status, {
      trouble: this.#trouble,
      generation: generationInForce(name),
      ready: this.#isReady(cached.spec.accountRef.name),
      now: this.#clock.wall(),
    });
    const patch = mergePatchOf(current.status, wanted);
    const now = this.#clock.now();
    const onlyTime = patch !== undefined && Object.keys(patch).every((field) => timeFields.has(field));
    const fresh = now - (this.#checkpoints.get(name) ?? Number.NEGATIVE_INFINITY) < checkpointEveryMs;
    if (patch === undefined || (onlyTime && fresh)) return;
    const body = { status: patch } as MergePatch<StrategyInstance>;
    const result = await client.of(StrategyInstances).mergePatchStatus({ namespace, name }, body);
    this.#written.set(name, { base: cached, result });
    this.#checkpoints.set(name, now);
  }

  #isReady(name: string): boolean {
    return this.#seen?.accounts.some(({ account, ready }) => account === name && ready) ?? false;
  }

  async #writeAccount(name: string): Promise<void> {
    const { client, caches, namespace, core, tenure: tenureOf } = this.#options;
    const account = caches.accounts.store.get({ namespace, name });
    const seen = this.#seen?.accounts.find((status) => status.account === name);
    const tenure = tenureOf(name) ?? { state: 'Waiting', message: 'the core is not connected' };
    // While another core holds the account, it is the other's to describe.
    if (account === undefined || tenure.state === 'Other') return;
    const [trouble, now] = [this.#trouble, this.#clock.wall()];
    await updateStatus(client.of(TradingAccounts), account, ({ status, metadata }) =>
      accountStatus(seen, status, { core, tenure, trouble, generation: metadata.generation ?? 0, now }),
    );
  }

  async #writeCore(name: string): Promise<void> {
    const { client, caches, namespace } = this.#options;
    const core = caches.cores.store.get({ namespace, name });
    if (core === undefined) return;
    const [seen, trouble, now] = [this.#seen, this.#trouble, this.#clock.wall()];
    await updateStatus(client.of(ExecutionCores), core, ({ status, metadata }) =>
      coreStatus(seen, status, { trouble, generation: metadata.generation ?? 0, now }),
    );
  }

  async #writeHalt(name: string): Promise<void> {
    const { client, caches, namespace, core } = this.#options;
    const halt = caches.halts.store.get({ namespace, name });
    const seen = this.#seen;
    if (halt === undefined) return this.#publisher.forget(`halt/${name}`);
    if (seen === undefined) return;
    await updateStatus(client.of(Halts), halt, (current) => haltStatus(seen, current, core));
  }
}

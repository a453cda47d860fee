// The agent of one core: desired state down, leases, status up. Works with the operator dead.

import type { Logger } from 'pino';
import { twinOf, twinProblem } from '../account/twin.js';
import { type Caches, type EventReason, eventReasons } from '../api/index.js';
import {
  type Clock,
  type EventRecorder,
  type KubeClient,
  Namespaces,
  sleep,
  systemClock,
} from '../kube/index.js';
import { AccountLease, type Tenure } from './account-lease.js';
import type { AgentWorld } from './desired.js';
import { Feed } from './feed.js';
import { CoreLink } from './link.js';
import type { AgentMetrics } from './metrics.js';
import { Reports } from './reports.js';
import { within } from './within.js';

export interface AgentOptions {
  readonly client: KubeClient;
  readonly caches: Caches;
  readonly events: EventRecorder<EventReason>;
  readonly namespace: string;
  readonly core: string;
  readonly socket: string;
  /** UID of our pod: who holds a Lease. */
  readonly identity: string;
  readonly log: Logger;
  readonly metrics: AgentMetrics;
  readonly clock?: Clock;
}

const lastWritesMs = 3_000;
/** A core that stops waits 2 s for the word on what is deleted with it. */
const namespaceWithinMs = 1_500;

export class Agent {
  readonly #options: AgentOptions;
  readonly #clock: Clock;
  readonly #link: CoreLink;
  readonly #feed: Feed;
  readonly #reports: Reports;
  readonly #leases = new Map<string, AccountLease>();
  readonly #stopped = new AbortController();
  /** The core's last report: every thread of it that sends has ended. */
  #coreIsSilent = false;
  #everUp = false;
  #stopSeen = false;
  #namespaceEnds = false;
  #linkDown = Promise.withResolvers<void>();

  constructor(options: AgentOptions) {
    const { client, caches, namespace, core, socket, log, metrics } = options;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#link = new CoreLink(
      socket,
      {
        up: () => this.#up(),
        status: (status) => {
          metrics.status();
          this.#coreIsSilent = status.stopped;
          if (status.stopping) void this.#answerStop();
          const ready = this.#readyAccounts();
          this.#feed.take(status);
          this.#reports.report(status);
          for (const lease of this.#leases.values()) lease.heard();
          // An account that just became ready waits for its epoch.
          if (this.#readyAccounts() !== ready) for (const lease of this.#leases.values()) lease.hurry();
        },
        down: (reason) => this.#down(reason),
      },
      this.#clock,
    );
    this.#feed = new Feed(
      () => this.#world(),
      (body) => this.#link.send(body),
      this.#clock,
    );
    this.#reports = new Reports({
      client,
      caches,
      namespace,
      core,
      clock: this.#clock,
      tenure: (account) => this.#leases.get(account)?.tenure,
      generationInForce: (instance) => this.#feed.generationInForce(instance),
      onError: (object, err) => {
        metrics.failedWrite();
        log.warn({ err, object }, 'status could not be written; it is tried again');
      },
    });
  }

  get connected(): boolean {
    return this.#link.connected;
  }

  /** Starts once the caches are complete: half a picture would stop strategies. */
  async start(): Promise<void> {
    const { caches } = this.#options;
    await caches.synced();
    if (this.#stopped.signal.aborted) return;
    caches.cores.onChange(() => this.#followAccounts());
    caches.accounts.onChange((change) => {
      if (change.type !== 'updated' || change.old.metadata.generation !== change.object.metadata.generation) {
        this.#leases.get(change.object.metadata.name)?.hurry();
      }
    });
    this.#feed.follow(caches);
    this.#link.start();
    void this.#tick();
  }

  /**
   * Ends after the core: as a native sidecar we are told to stop when its container has ended, but a kubelet may
   * also restart us alone. Until the core is gone it needs its renewals. Only when it said itself that nothing leaves
   * it any more may the next holder begin at once: a stream that breaks, also of a core that was about to stop, says
   * nothing of what its threads still send. Then the Lease is left to expire.
   */
  async stop(withinMs: number): Promise<void> {
    if (this.#link.connected) await within(this.#clock, withinMs, this.#linkDown.promise);
    const release = this.#coreIsSilent;
    this.#stopped.abort();
    this.#link.stop();
    await this.#reports.stop(lastWritesMs);
    await Promise.all([...this.#leases.values()].map((lease) => lease.stop(release)));
  }

  #world(): AgentWorld {
    const { caches, namespace, core } = this.#options;
    return {
      coreName: core,
      core: caches.cores.store.get({ namespace, name: core }),
      instances: caches.instances.store.list(),
      halts: caches.halts.store.list(),
      strategy: (name) => caches.strategies.store.get({ namespace, name }),
      accounts: caches.accounts.store.list(),
      namespaceEnds: this.#namespaceEnds,
    };
  }

  #up(): void {
    const { log, metrics, socket } = this.#options;
    log.info({ socket }, 'the core is connected');
    metrics.connected(true);
    this.#everUp = true;
    // Maybe another process than before.
    this.#coreIsSilent = false;
    this.#stopSeen = false;
    this.#linkDown = Promise.withResolvers();
    this.#feed.begin();
    this.#followAccounts();
    // A core that was restarted has no deadline, so it sends nothing until a renewal.
    for (const lease of this.#leases.values()) lease.hurry();
  }

  #down(reason: string): void {
    const { log, metrics } = this.#options;
    log.warn({ reason }, 'the core is disconnected');
    metrics.connected(false);
    this.#reports.disconnected(`the core is disconnected: ${reason}`);
    this.#linkDown.resolve();
  }

  /**
   * Why a core stops it is not told: its pod may be deleted together with the strategies, as by the end of the
   * namespace, whose parts are marked one after the other. They must be flat before their core is gone.
   */
  async #answerStop(): Promise<void> {
    if (this.#stopSeen) return;
    this.#stopSeen = true;
    const { client, namespace: name, log } = this.#options;
    try {
      const found = await client
        .of(Namespaces)
        .find({ name }, { signal: AbortSignal.timeout(namespaceWithinMs) });
      this.#namespaceEnds = found?.metadata.deletionTimestamp !== undefined;
    } catch (err) {
      log.warn({ err, namespace: name }, 'whether the namespace is being deleted is not known');
    }
    this.#feed.update();
    this.#link.send({ case: 'stopSeen', value: {} });
  }

  #readyAccounts(): string {
    const accounts = this.#reports.seen?.accounts ?? [];
    return accounts
      .filter(({ ready }) => ready)
      .map(({ account }) => account)
      .join();
  }

  /** One lease per account that the core lists; accounts that it no longer lists are let go. */
  #followAccounts(): void {
    if (!this.#everUp || this.#stopped.signal.aborted) return;
    const { caches, namespace, core, client, identity } = this.#options;
    const listed = caches.cores.store.get({ namespace, name: core })?.spec.accounts;
    // Without its object nothing is known; the leases stay as they are.
    if (listed === undefined) return;
    for (const [account, lease] of this.#leases) {
      if (listed.includes(account)) continue;
      this.#leases.delete(account);
      void lease.stop(false);
    }
    for (const account of listed) {
      if (this.#leases.has(account)) continue;
      const lease = new AccountLease({
        client,
        namespace,
        account,
        core,
        identity,
        clock: this.#clock,
        spec: () => caches.accounts.store.get({ namespace, name: account })?.spec,
        seenByCore: () => this.#reports.seen?.accounts.find((seen) => seen.account === account),
        barred: () => this.#barred(account),
        send: (body) => this.#link.send(body),
        onTenure: (tenure) => this.#tenureChanged(account, tenure),
      });
      this.#leases.set(account, lease);
      lease.start();
    }
  }

  /** The core may know before the API does whose the keys are. */
  #barred(name: string): string | undefined {
    const seen = this.#reports.seen?.accounts ?? [];
    const accounts = this.#options.caches.accounts.store.list().map((account) => {
      const venueUid = seen.find((status) => status.account === account.metadata.name)?.venueUid;
      return venueUid ? { ...account, status: { ...account.status, venueUid } } : account;
    });
    const account = accounts.find(({ metadata }) => metadata.name === name);
    const twin = account && twinOf(account, accounts);
    return twin && twinProblem(account, twin);
  }

  #tenureChanged(account: string, tenure: Tenure): void {
    const { log, metrics, caches, namespace, events } = this.#options;
    const level = tenure.state === 'Held' || tenure.state === 'Waiting' ? 'info' : 'warn';
    log[level]({ account, ...tenure }, 'lease');
    metrics.epoch(account, tenure.state === 'Held' ? tenure.epoch : 0);
    const regarding = caches.accounts.store.get({ namespace, name: account });
    if (regarding !== undefined && (tenure.state === 'Held' || tenure.state === 'Other')) {
      const held = tenure.state === 'Held';
      events.record({
        regarding,
        type: held ? 'Normal' : 'Warning',
        reason: held ? eventReasons.leaseAcquired : eventReasons.leaseLost,
        action: 'Lease',
        note: held
          ? `core ${this.#options.core} writes with epoch ${tenure.epoch}`
          : `held by ${tenure.holder}`,
      });
    }
    this.#reports.markAll();
  }

  async #tick(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      this.#reports.tick();
      await sleep(this.#clock, 1_000, this.#stopped.signal);
    }
  }
}

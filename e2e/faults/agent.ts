// Plays the agent beside the core: what is wanted and the lease up, status down.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import {
  AccountPolicySchema,
  AgentService,
  type CoreStatus,
  create,
  DesiredStateSchema,
  InstancePolicySchema,
  type InstanceStatus,
  type LedgerReply,
  LedgerRequestSchema,
  Mode,
  makeClient,
  type ServiceClient,
  TradingState,
} from '@flashpod/proto';
import { Metadata } from '@grpc/grpc-js';
import { CoreLink, type UpBody } from '../../operator/src/agent/link.ts';
import { until } from '../shared.ts';
import type { Core } from './core.ts';
import { hardMs, instance, limits, softMs, symbol, token } from './terms.ts';

const renewEveryMs = 200;

const policy = create(InstancePolicySchema, {
  instance,
  uid: `uid-${instance}`,
  account: 'main',
  strategy: 'imbalance-maker',
  mode: Mode.LIVE,
  state: 1,
  deletionPolicy: 1,
  symbols: [symbol],
  capital: [
    { asset: 'USDC', amount: '10000000' },
    { asset: 'BTC', amount: '100' },
  ],
  limits: {
    maxOrderNotional: String(limits.maxOrderNotional),
    maxPositionNotional: String(limits.maxPositionNotional),
    maxOpenOrders: limits.maxOpenOrders,
    maxOrderRate: 10,
    priceCollarBps: 200,
    maxDataAgeMs: 3_000,
  },
  tokenSha256: createHash('sha256').update(token).digest('hex'),
  parametersJson: '{}',
  onSidecarLoss: { action: 3, afterMs: 60_000 },
});

/** Keeps its wishes and its epoch over restarts of the core. */
export class Agent {
  readonly #link: CoreLink;
  /** For questions, over a connection of its own. */
  readonly #books: ServiceClient<typeof AgentService>;
  readonly #timer: NodeJS.Timeout;
  #status: CoreStatus | undefined;
  #attempt = 0n;
  #announced = 0;
  #granted = true;
  #epoch = 0n;
  /** When the newest renewal that was granted had been announced, ms since 1970. */
  renewedAt = 0;

  constructor(core: Core) {
    const socket = join(core.sockets, 'agent/agent.sock');
    this.#books = makeClient(AgentService, `unix:${socket}`, undefined, {
      'grpc.max_receive_message_length': -1,
      'grpc.initial_reconnect_backoff_ms': 50,
      'grpc.min_reconnect_backoff_ms': 50,
      'grpc.max_reconnect_backoff_ms': 200,
    });
    this.#link = new CoreLink(socket, {
      up: () => {
        this.#granted = true;
        this.#want();
      },
      down: () => {
        this.#status = undefined;
      },
      status: (status) => this.#heard(status),
    });
    this.#link.start();
    this.#timer = setInterval(() => this.#announce(), renewEveryMs);
  }

  #send(body: UpBody): void {
    this.#link.send(body);
  }

  #want(): void {
    const accounts = [create(AccountPolicySchema, { account: 'main' })];
    const value = create(DesiredStateSchema, { generation: 1n, accounts, instances: [policy] });
    this.#send({ case: 'desired', value });
  }

  #heard(status: CoreStatus): void {
    this.#status = status;
    if (status.stopping) this.#send({ case: 'stopSeen', value: {} });
    const [account] = status.accounts;
    // Only once the core says that it heard the announcement: see invariant 1.
    if (!account?.ready || this.#granted || account.leaseAttempt !== this.#attempt) return;
    this.#granted = true;
    this.renewedAt = this.#announced;
    this.#epoch ||= account.highestEpochSeen + 1n;
    const lease = { account: 'main', attempt: this.#attempt, epoch: this.#epoch };
    const deadlines = { softDeadlineMs: BigInt(softMs), hardDeadlineMs: BigInt(hardMs) };
    this.#send({ case: 'leaseRenewed', value: { ...lease, ...deadlines } });
  }

  #announce(): void {
    const [account] = this.#status?.accounts ?? [];
    // One under way at a time.
    if (!account?.ready || !this.#granted) return;
    this.#attempt += 1n;
    this.#granted = false;
    this.#announced = Date.now();
    this.#send({ case: 'leaseAttempt', value: { account: 'main', attempt: this.#attempt } });
  }

  get connected(): boolean {
    return this.#status !== undefined;
  }

  get #instance(): InstanceStatus | undefined {
    return this.#status?.instances.find((one) => one.instance === instance);
  }

  /** Why orders would be refused now; empty when they would not. */
  get obstacles(): string {
    const [account] = this.#status?.accounts ?? [];
    if (!account) return 'the core does not speak to its agent';
    const book = this.#status?.books.find((one) => one.symbol === symbol);
    const told = [
      account.ready ? '' : 'not reconciled',
      account.state === TradingState.ACTIVE ? '' : `account: ${account.reasons.join(', ')}`,
      this.#instance?.state === TradingState.ACTIVE ? '' : `instance: ${this.#instance?.reasons.join(', ')}`,
      book?.state === 'CERTIFIED' ? '' : `book ${book?.state ?? 'missing'}`,
    ];
    return told.filter(Boolean).join('; ');
  }

  get metrics(): string {
    return this.#status?.metricsAddress ?? '';
  }

  /** Waits until orders may open risk. */
  async active(withinMs: number): Promise<void> {
    await until('the core to trade', withinMs, () => this.obstacles === '').catch(() => {
      throw new Error(`the core does not trade after ${withinMs} ms: ${this.obstacles}`);
    });
  }

  /** All that the core knows; fails while there is none. */
  ledger(): Promise<LedgerReply> {
    const request = create(LedgerRequestSchema, { account: 'main' });
    const deadline = Date.now() + 2_000;
    return new Promise((resolve, reject) => {
      this.#books.ledger(request, new Metadata(), { deadline }, (error, reply) => {
        if (reply) resolve(reply);
        else reject(error ?? new Error('the core sent no ledger'));
      });
    });
  }

  close(): void {
    clearInterval(this.#timer);
    this.#books.close();
    this.#link.stop();
  }
}

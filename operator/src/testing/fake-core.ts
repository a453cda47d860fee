// A core for tests: obeys at once, proves what it is told to prove, and remembers what it was told.

import { rmSync } from 'node:fs';
import {
  AccountStatusSchema,
  AgentService,
  type AgentUp,
  type CoreStatus,
  CoreStatusSchema,
  create,
  type DesiredState,
  HaltStatusSchema,
  InstancePolicy_State,
  InstanceStatusSchema,
  type LeaseRenewed,
  type MessageInitShape,
  serve,
  TradingState,
} from '@flashpod/proto';
import * as grpc from '@grpc/grpc-js';

type Plain<T> = Exclude<T, { $typeName: string }>;
type InstanceInit = Partial<Plain<MessageInitShape<typeof InstanceStatusSchema>>>;
type AccountInit = Plain<MessageInitShape<typeof AccountStatusSchema>>;

export class FakeCore {
  readonly socket: string;
  desired: DesiredState | undefined;
  readonly renewals: LeaseRenewed[] = [];
  /** Changes to what it says by itself, by name. */
  readonly instances = new Map<string, InstanceInit>();
  account: AccountInit;
  stopping = false;
  stopped = false;
  /** How often the agent said that it saw the stop, and what it had told by then. */
  readonly stopsSeen: (DesiredState | undefined)[] = [];
  /** Every stop that it is told of is proven at once. */
  provesAll = false;
  #server: grpc.Server | undefined;
  readonly #streams = new Set<grpc.ServerDuplexStream<AgentUp, CoreStatus>>();
  readonly #proven = new Set<string>();

  constructor(socket: string, account: AccountInit) {
    this.socket = socket;
    this.account = account;
  }

  async start(): Promise<void> {
    rmSync(this.socket, { force: true });
    const server = new grpc.Server();
    serve(server, AgentService, {
      control: (call) => {
        this.#streams.add(call);
        const gone = () => this.#streams.delete(call);
        call.on('data', (up: AgentUp) => this.#take(up));
        call.on('end', () => call.end());
        call.on('close', gone);
        call.on('cancelled', gone);
        call.on('error', gone);
        call.write(this.#status());
      },
      ledger: (_, reply) => reply({ code: grpc.status.UNIMPLEMENTED }),
    });
    await new Promise<void>((resolve, reject) =>
      server.bindAsync(`unix:${this.socket}`, grpc.ServerCredentials.createInsecure(), (error) =>
        error ? reject(error) : resolve(),
      ),
    );
    this.#server = server;
  }

  /** As a process that ends: the streams break. What it was told is forgotten, as by a restart. */
  async stop(): Promise<void> {
    this.#server?.forceShutdown();
    this.#server = undefined;
    this.#streams.clear();
    this.desired = undefined;
    this.account = { ...this.account, leaseAttempt: 0n };
    this.renewals.length = 0;
  }

  /** Tells what it is; `of` an older desired state: as a report that is late. */
  report(of = this.desired): void {
    for (const stream of this.#streams) stream.write(this.#status(of));
  }

  /** From now on the stop of this instance counts as proven. */
  prove(instance: string, change: InstanceInit = {}): void {
    this.#proven.add(instance);
    this.instances.set(instance, change);
    this.report();
  }

  #take({ body }: AgentUp): void {
    if (body.case === 'desired') {
      this.desired = body.value;
      this.report();
    } else if (body.case === 'leaseAttempt') {
      // The agent renews only once it sees the attempt echoed.
      this.account = { ...this.account, leaseAttempt: body.value.attempt };
      this.report();
    } else if (body.case === 'stopSeen') {
      this.stopsSeen.push(this.desired);
    } else if (body.case === 'leaseRenewed') {
      this.renewals.push(body.value);
    }
  }

  #status(desired = this.desired): CoreStatus {
    const now = BigInt(Date.now()) * 1_000_000n;
    return create(CoreStatusSchema, {
      version: 'fake',
      generation: desired?.generation ?? 0n,
      metricsAddress: '127.0.0.1:1',
      stopping: this.stopping,
      stopped: this.stopped,
      accounts: [create(AccountStatusSchema, { generation: desired?.generation ?? 0n, ...this.account })],
      instances: (desired?.instances ?? []).map(({ instance, state, deletionPolicy }) => {
        const stop = state === InstancePolicy_State.STOP;
        const proven = stop && (this.provesAll || this.#proven.has(instance));
        const proof = {
          policy: deletionPolicy,
          noOpenOrders: proven,
          flat: proven,
          provenUnixNs: proven ? now : 0n,
          waitingFor: proven ? '' : '2 open orders',
        };
        return create(InstanceStatusSchema, {
          instance,
          state: stop ? TradingState.HALTED : TradingState.ACTIVE,
          sidecarConnected: !stop,
          ...(stop ? { proof } : {}),
          ...this.instances.get(instance),
        });
      }),
      halts: (desired?.halts ?? []).map(({ uid, instances }) =>
        create(HaltStatusSchema, {
          uid,
          blockedUnixNs: now,
          cancelsSentUnixNs: now,
          flat: true,
          instances: instances.length,
        }),
      ),
    });
  }
}

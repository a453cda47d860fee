// One namespace with everything of ours in it but real pods: embedded API server, the controllers, an agent, a fake
// core. For tests that want the parts joined.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crdDirectory, type ExecutionCore, type TradingAccount, type TradingStrategy } from '@flashpod/crds';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { accountController } from '../account/index.js';
import { Agent } from '../agent/agent.js';
import { agentMetrics } from '../agent/metrics.js';
import { Caches, type EventReason, images, labels, managedBy } from '../api/index.js';
import { ExecutionCores, TradingAccounts, TradingStrategies } from '../api/resources.js';
import type { Context } from '../context.js';
import { coreController } from '../fleet/index.js';
import { haltController } from '../halt/index.js';
import {
  type Clock,
  ConfigMaps,
  EventRecorder,
  Events,
  KubeClient,
  type KubeObject,
  noMetrics,
  Pods,
  Reflector,
  type Resource,
  Secrets,
  type Stored,
  systemClock,
} from '../kube/index.js';
import { type ApiServer, startApiServer } from '../local/index.js';
import { ParameterChecks, strategyController } from '../strategy/index.js';
import { FakeCore } from './fake-core.js';

export const namespace = 'default';
const log = pino({ level: process.env['FLASHPOD_LOG'] ?? 'silent' }, pino.destination(2));

const parameters = new ParameterChecks({
  'imbalance-maker': {
    type: 'object',
    properties: { orderNotional: { type: 'string', pattern: '^[0-9]+$' } },
    additionalProperties: false,
  },
});

export class Desk {
  readonly server: ApiServer;
  readonly client: KubeClient;
  readonly core: FakeCore;
  readonly #folder: string;
  /** What the operator last saw. Stopping one of its reflectors makes a watch that lags behind. */
  operatorSees: Caches | undefined;
  #stopOperator = async () => {};
  #agent: { agent: Agent; caches: Caches } | undefined;

  private constructor(server: ApiServer, client: KubeClient, folder: string) {
    this.server = server;
    this.client = client;
    this.#folder = folder;
    this.core = new FakeCore(join(folder, 'agent.sock'), {
      account: 'main',
      ready: true,
      symbols: ['BTCUSDC', 'ETHUSDC'],
      highestEpochSeen: 0n,
      balances: [{ asset: 'USDC', free: '1000', locked: '0' }],
    });
  }

  static async start(): Promise<Desk> {
    const server = await startApiServer({ crdDir: crdDirectory });
    const client = KubeClient.load({ kubeconfig: server.kubeconfigPath, qps: 1_000, burst: 1_000 });
    const desk = new Desk(server, client, mkdtempSync(join(tmpdir(), 'fpd-')));
    await client
      .of(Secrets)
      .create({ metadata: { name: 'keys', namespace }, data: { apiKey: 'YQ==', secretKey: 'Yg==' } });
    await client.of(TradingAccounts).create(account());
    await client.of(ExecutionCores).create(core());
    return desk;
  }

  /** What the agent last saw, likewise. */
  get agentSees(): Caches | undefined {
    return this.#agent?.caches;
  }

  startOperator(): void {
    const caches = new Caches(this.client, { namespace });
    this.operatorSees = caches;
    const pods = new Reflector(this.client.of(Pods), {
      namespace,
      labelSelector: `${labels.managedBy}=${managedBy}`,
    });
    const schemas = new Reflector(this.client.of(ConfigMaps), {
      namespace,
      labelSelector: labels.parametersSchema,
    });
    const context: Context = {
      client: this.client,
      caches,
      pods,
      schemas,
      log,
      metrics: noMetrics,
      images: images(),
      mayWrite: () => true,
      events: new EventRecorder<EventReason>(this.client.of(Events), {
        component: 'test',
        instance: 'operator',
      }),
    };
    const controllers = [
      strategyController(context, parameters),
      coreController(context),
      accountController(context),
      haltController(context),
    ];
    for (const controller of controllers) controller.start();
    caches.start();
    pods.start();
    schemas.start();
    this.#stopOperator = async () => {
      await Promise.all(controllers.map((controller) => controller.stop()));
      await Promise.all([caches.stop(), pods.stop(), schemas.stop()]);
      this.#stopOperator = async () => {};
    };
  }

  stopOperator(): Promise<void> {
    return this.#stopOperator();
  }

  async startAgent(identity: string, clock: Clock = systemClock): Promise<void> {
    const caches = new Caches(this.client, { namespace });
    const agent = new Agent({
      client: this.client,
      caches,
      namespace,
      core: 'core',
      socket: this.core.socket,
      identity,
      clock,
      log,
      metrics: agentMetrics(new Registry()),
      events: new EventRecorder<EventReason>(this.client.of(Events), {
        component: 'test',
        instance: identity,
      }),
    });
    this.#agent = { agent, caches };
    caches.start();
    await agent.start();
  }

  async stopAgent(): Promise<void> {
    await this.#stopAgent(0);
  }

  /** As the kubelet does it: the agent is told to stop, and waits for its core to be gone. */
  stopAgentAfterCore(): Promise<void> {
    return this.#stopAgent(10_000);
  }

  async #stopAgent(withinMs: number): Promise<void> {
    await this.#agent?.agent.stop(withinMs);
    await this.#agent?.caches.stop();
    this.#agent = undefined;
  }

  async stop(): Promise<void> {
    await this.stopOperator();
    await this.stopAgent();
    await this.core.stop();
    await this.client.close();
    await this.server.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async create(object: TradingStrategy): Promise<Stored<TradingStrategy>> {
    return this.client.of(TradingStrategies).create(object);
  }

  /** The object once `holds` is true of it; rejects with what it was last when that takes longer than `withinMs`. */
  async until<T extends KubeObject>(
    resource: Resource<T>,
    name: string,
    holds: (object: Stored<T> | undefined) => boolean,
    withinMs = 5_000,
  ): Promise<Stored<T>> {
    const end = performance.now() + withinMs;
    for (;;) {
      const object = await this.client.of(resource).find({ namespace, name });
      if (holds(object)) return object as Stored<T>;
      if (performance.now() > end)
        throw new Error(`${resource.kind} ${name} never came so far: ${JSON.stringify(object, null, 1)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

export function account(): TradingAccount {
  return {
    apiVersion: 'trading.flashpod.dev/v1alpha1',
    kind: 'TradingAccount',
    metadata: { name: 'main', namespace },
    spec: {
      venue: 'mexc-spot',
      environment: 'Simulated',
      endpoints: { rest: 'https://127.0.0.1:1', ws: 'wss://127.0.0.1:1/ws' },
      credentialsSecretRef: { name: 'keys' },
      lease: { durationSeconds: 60, renewSeconds: 5, softSeconds: 35, hardSeconds: 55 },
      allowLive: false,
    },
  };
}

export function core(): ExecutionCore {
  return {
    apiVersion: 'trading.flashpod.dev/v1alpha1',
    kind: 'ExecutionCore',
    metadata: { name: 'core', namespace },
    spec: {
      accounts: ['main'],
      cpus: 1,
      pollMode: 'Park',
      metricsPort: 0,
      stopPolicy: 'Cancel',
      journal: { segmentMiB: 64, keepMiB: 2_048 },
    },
  };
}

export function strategy(name: string, change: Partial<TradingStrategy['spec']> = {}): TradingStrategy {
  return {
    apiVersion: 'trading.flashpod.dev/v1alpha1',
    kind: 'TradingStrategy',
    metadata: { name, namespace },
    spec: {
      strategy: 'imbalance-maker',
      symbols: ['BTCUSDC'],
      accountRef: { name: 'main' },
      mode: 'Live',
      parameters: {},
      risk: {
        maxOrderNotional: '100',
        maxPositionNotional: '1000',
        maxOpenOrders: 4,
        maxOrderRate: 5,
        priceCollarBps: 100,
        maxDataAgeMs: 3_000,
      },
      capital: [
        { asset: 'USDC', amount: '1000' },
        { asset: 'BTC', amount: '0.1' },
      ],
      deletionPolicy: 'Flatten',
      onSidecarLoss: { action: 'Cancel', afterMs: 3_000 },
      suspended: false,
      ...change,
    },
  };
}

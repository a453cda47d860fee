import type { ExecutionCore, Halt, StrategyInstance, TradingAccount, TradingStrategy } from '@flashpod/crds';
import {
  type KubeClient,
  type KubeObject,
  Reflector,
  type ReflectorOptions,
  type Resource,
  type Stored,
} from '../kube/index.js';
import { ExecutionCores, Halts, StrategyInstances, TradingAccounts, TradingStrategies } from './resources.js';

const byStrategy = 'strategy';

/** Everything of the API, as last seen. Operator and agent each keep one. */
export class Caches {
  readonly strategies: Reflector<TradingStrategy>;
  readonly instances: Reflector<StrategyInstance>;
  readonly accounts: Reflector<TradingAccount>;
  readonly cores: Reflector<ExecutionCore>;
  readonly halts: Reflector<Halt>;

  constructor(client: KubeClient, options: ReflectorOptions) {
    const reflect = <T extends KubeObject>(resource: Resource<T>) =>
      new Reflector(client.of(resource), options);
    this.strategies = reflect(TradingStrategies);
    this.instances = reflect(StrategyInstances);
    this.accounts = reflect(TradingAccounts);
    this.cores = reflect(ExecutionCores);
    this.halts = reflect(Halts);
    this.instances.store.addIndex(byStrategy, ({ metadata, spec }) => [
      `${metadata.namespace}/${spec.strategyRef.name}`,
    ]);
  }

  /** The instances that refer to a strategy of this name. */
  instancesOf(namespace: string, strategy: string): Stored<StrategyInstance>[] {
    return this.instances.store.byIndex(byStrategy, `${namespace}/${strategy}`);
  }

  get all() {
    return [this.strategies, this.instances, this.accounts, this.cores, this.halts] as const;
  }

  start(): void {
    for (const reflector of this.all) reflector.start();
  }

  /** Resolves when every store has its first list: half a picture leads to wrong stops. */
  async synced(): Promise<void> {
    await Promise.all(this.all.map((reflector) => reflector.synced));
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.map((reflector) => reflector.stop()));
  }
}

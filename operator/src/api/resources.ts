// Typed handles of the kinds of trading.flashpod.dev, for clients and reflectors.

import {
  type ExecutionCore,
  type Halt,
  kinds,
  type StrategyInstance,
  type TradingAccount,
  type TradingStrategy,
} from '@flashpod/crds';
import { defineResource } from '../kube/resources.js';

export const TradingStrategies = defineResource<TradingStrategy>({
  ...kinds.TradingStrategy,
  namespaced: true,
});
export const StrategyInstances = defineResource<StrategyInstance>({
  ...kinds.StrategyInstance,
  namespaced: true,
});
export const TradingAccounts = defineResource<TradingAccount>({ ...kinds.TradingAccount, namespaced: true });
export const ExecutionCores = defineResource<ExecutionCore>({ ...kinds.ExecutionCore, namespaced: true });
export const Halts = defineResource<Halt>({ ...kinds.Halt, namespaced: true });

export const apiVersion = `${kinds.TradingStrategy.group}/${kinds.TradingStrategy.version}` as const;

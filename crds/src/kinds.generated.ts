// Generated from crds/*.yaml by crds/scripts/generate.mjs; do not edit.

import type * as Types from './types.generated.js';

/** Where each kind is served. */
export const kinds = {
  ExecutionCore: {
    group: 'trading.flashpod.dev',
    version: 'v1alpha1',
    kind: 'ExecutionCore',
    plural: 'executioncores',
  },
  Halt: {
    group: 'trading.flashpod.dev',
    version: 'v1alpha1',
    kind: 'Halt',
    plural: 'halts',
  },
  StrategyInstance: {
    group: 'trading.flashpod.dev',
    version: 'v1alpha1',
    kind: 'StrategyInstance',
    plural: 'strategyinstances',
  },
  TradingAccount: {
    group: 'trading.flashpod.dev',
    version: 'v1alpha1',
    kind: 'TradingAccount',
    plural: 'tradingaccounts',
  },
  TradingStrategy: {
    group: 'trading.flashpod.dev',
    version: 'v1alpha1',
    kind: 'TradingStrategy',
    plural: 'tradingstrategies',
  },
} as const;

/** The type of an object by its kind. */
export interface ObjectByKind {
  ExecutionCore: Types.ExecutionCore;
  Halt: Types.Halt;
  StrategyInstance: Types.StrategyInstance;
  TradingAccount: Types.TradingAccount;
  TradingStrategy: Types.TradingStrategy;
}

export type Kind = keyof ObjectByKind;

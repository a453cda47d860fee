// The built-in strategies, by the name that manifests give.

import { type AnyStrategy, StrategyError } from '@flashpod/sdk';
import imbalanceMaker from '@flashpod/strategy-imbalance-maker';
import momentumTaker from '@flashpod/strategy-momentum-taker';

export const strategies: readonly AnyStrategy[] = [imbalanceMaker, momentumTaker];

export function strategyNamed(name: string): AnyStrategy {
  const strategy = strategies.find((one) => one.name === name);
  if (strategy !== undefined) return strategy;
  const accepted = strategies.map((one) => one.name).join(', ');
  throw new StrategyError('UNKNOWN_STRATEGY', `strategy "${name}" is not built in; accepted: ${accepted}`);
}

// The strategies by the name that manifests give: the built-in ones, or the one of a package.

import { type AnyStrategy, StrategyError } from '@flashpod/sdk';
import imbalanceMaker from '@flashpod/strategy-imbalance-maker';
import momentumTaker from '@flashpod/strategy-momentum-taker';
import touchMaker from '@flashpod/strategy-touch-maker';
import type { Config } from './config.js';
import { strategyOf } from './package.js';

export const strategies: readonly AnyStrategy[] = [imbalanceMaker, momentumTaker, touchMaker];

/** What the process runs: `--strategy` alone names a built-in one, `--package` says where it is. */
export async function chosenStrategy(config: Pick<Config, 'strategy' | 'package'>): Promise<AnyStrategy> {
  if (config.package === undefined) return strategyNamed(config.strategy);
  const strategy = await strategyOf(config.package);
  if (strategy.name === config.strategy) return strategy;
  throw new StrategyError(
    'UNKNOWN_STRATEGY',
    `strategy "${config.strategy}" is not in package ${config.package}; accepted: ${strategy.name}`,
  );
}

export function strategyNamed(name: string): AnyStrategy {
  const strategy = strategies.find((one) => one.name === name);
  if (strategy !== undefined) return strategy;
  const accepted = strategies.map((one) => one.name).join(', ');
  throw new StrategyError('UNKNOWN_STRATEGY', `strategy "${name}" is not built in; accepted: ${accepted}`);
}

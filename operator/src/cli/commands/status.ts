import { Exit } from '../../errors.js';
import { Leases } from '../../kube/index.js';
import { withCluster } from '../cluster.js';
import { resourceOf } from '../kinds.js';
import { answer } from '../print.js';
import { healthOf, renderHealth } from '../status.js';
import type { Command, CommonFlags } from './table.js';

export const statusCommand: Command = {
  name: 'status',
  summary: `one screen: cores, leases, books, strategies, halts; exits ${Exit.unavailable} when something is wrong`,
  cluster: true,
  outputs: ['text', 'json'],
  examples: ['flashpod status', "flashpod status -o json | jq '.problems'"],
  async run(flags: CommonFlags) {
    await withCluster(flags, async (client, namespace) => {
      const list = { namespace };
      const [cores, accounts, strategies, instances, halts, leases] = await Promise.all([
        client.of(resourceOf('ExecutionCore')).list(list),
        client.of(resourceOf('TradingAccount')).list(list),
        client.of(resourceOf('TradingStrategy')).list(list),
        client.of(resourceOf('StrategyInstance')).list(list),
        client.of(resourceOf('Halt')).list(list),
        client.of(Leases).list(list),
      ]);
      const observed = {
        cores: cores.items,
        accounts: accounts.items,
        strategies: strategies.items,
        instances: instances.items,
        halts: halts.items,
        leases: leases.items,
      };
      const health = healthOf(observed, Date.now());
      answer(flags.output, health, () => renderHealth(health));
      if (!health.healthy) process.exitCode = Exit.unavailable;
    });
  },
};

import { adopt, renderAdopted } from '../adopt.js';
import { withCluster } from '../cluster.js';
import { answer } from '../print.js';
import { UsageError } from '../usage.js';
import type { Command, CommonFlags } from './table.js';

const actions = ['adopt'] as const;
/** Two rounds of the audit, each after at most two seconds, with their requests. */
const adoptedWithinMs = 30_000;

export const accountCommand: Command = {
  name: 'account',
  summary:
    'adopt: accept what the exchange has of an account and its ledger does not explain, or the reverse',
  arguments: [
    { name: 'action', description: 'adopt', complete: { words: actions } },
    { name: 'name', description: 'the account', complete: { kind: 'accounts' } },
  ],
  cluster: true,
  outputs: ['text', 'json'],
  examples: ['flashpod account adopt NAME'],
  async run(flags: CommonFlags, [action = '', name = '']) {
    if (!(actions as readonly string[]).includes(action))
      throw new UsageError('action', action, `one of ${actions.join(', ')}`);
    await withCluster(flags, async (client, namespace) => {
      const times = { now: new Date(), withinMs: adoptedWithinMs };
      const adopted = await adopt(client, { namespace, name }, times);
      answer(flags.output, adopted, () => renderAdopted(adopted));
    });
  },
};

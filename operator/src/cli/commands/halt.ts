import { withCluster } from '../cluster.js';
import { actions, type HaltFlags, haltFrom, readSelection, waitReached } from '../halt.js';
import { resourceOf } from '../kinds.js';
import { answer } from '../print.js';
import type { Command, CommonFlags } from './table.js';

const reachedWithinMs = 5_000;

export const haltCommand: Command = {
  name: 'halt',
  summary: 'stop trading at the cores, now; or lift a halt',
  flags: [
    { flags: '--all', description: 'everything in the namespace' },
    {
      flags: '--strategy <name>',
      description: 'strategy to stop; repeatable',
      repeatable: true,
      complete: { kind: 'strategies' },
    },
    {
      flags: '--account <name>',
      description: 'account to stop; repeatable',
      repeatable: true,
      complete: { kind: 'accounts' },
    },
    {
      flags: '--core <name>',
      description: 'core to stop; repeatable',
      repeatable: true,
      complete: { kind: 'cores' },
    },
    {
      flags: '--action <action>',
      description: 'Block (no new orders), Cancel (and cancel all), Flatten (and close positions)',
      default: 'Cancel',
      complete: { words: actions },
    },
    { flags: '--reason <text>', description: 'why, for those who find it' },
    { flags: '--name <name>', description: 'name of the Halt (default: halt-<time>)' },
    {
      flags: '--lift <name>',
      description: 'remove this halt, so that trading goes on',
      complete: { kind: 'halts' },
    },
  ],
  cluster: true,
  outputs: ['text', 'json'],
  examples: ['flashpod halt --all --reason "lunch"', 'flashpod halt --lift NAME'],
  async run(flags: CommonFlags & HaltFlags & { lift?: string }) {
    await withCluster(flags, async (client, namespace) => {
      const api = client.of(resourceOf('Halt'));
      const { lift } = flags;
      if (lift !== undefined) {
        await api.delete({ namespace, name: lift });
        answer(flags.output, { name: lift, outcome: 'lifted' }, () => `halt/${lift} lifted`);
        return;
      }
      const wanted = haltFrom(flags, namespace, new Date());
      await api.create(wanted);
      const halt = await waitReached(client, wanted.metadata.name, namespace, reachedWithinMs);
      const reached = halt.status?.reached ?? [];
      const { message, ...selects } = await readSelection(client, wanted, namespace);
      answer(flags.output, { name: halt.metadata.name, action: halt.spec.action, selects, reached }, () =>
        [
          `halt/${halt.metadata.name} in force: ${message}`,
          ...reached.map(
            (core) => `  ${core.core}: blocked ${core.blockedAt}, cancels sent ${core.cancelsSentAt ?? '–'}`,
          ),
        ].join('\n'),
      );
    });
  },
};

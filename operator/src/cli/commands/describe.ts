import { withCluster } from '../cluster.js';
import { describeObject, renderDescription } from '../describe.js';
import { findKind, kindWords } from '../kinds.js';
import { answer } from '../print.js';
import type { Command, CommonFlags } from './table.js';

export const describeCommand: Command = {
  name: 'describe',
  summary: 'show one object with conditions, positions, orders, events, and what to do next',
  arguments: [
    {
      name: 'kind',
      description: 'strategy, instance, account, core or halt',
      complete: { words: kindWords },
    },
    { name: 'name', description: 'the object', complete: { kind: '$1' } },
  ],
  cluster: true,
  outputs: ['text', 'json'],
  examples: ['flashpod describe strategy imbalance-maker'],
  async run(flags: CommonFlags, [kindText = '', name = '']) {
    const kind = findKind(kindText);
    await withCluster(flags, async (client, namespace) => {
      const described = await describeObject(client, kind, namespace, name);
      answer(flags.output, described, () => renderDescription(described, Date.now()));
    });
  },
};

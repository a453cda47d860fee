import { withCluster } from '../cluster.js';
import { type Output, outputs, readObjects, renderObjects } from '../get.js';
import { findKind, kindWords } from '../kinds.js';
import { print } from '../print.js';
import type { Command, CommonFlags } from './table.js';

export const getCommand: Command = {
  name: 'get',
  summary: 'show objects',
  arguments: [
    {
      name: 'kind',
      description: 'strategies, instances, accounts, cores or halts',
      complete: { words: kindWords },
    },
    { name: 'name', description: 'one object', optional: true, complete: { kind: '$1' } },
  ],
  flags: [{ flags: '-A, --all-namespaces', description: 'of every namespace' }],
  cluster: true,
  outputs,
  examples: ['flashpod get strategies', 'flashpod get accounts main -o yaml'],
  async run(flags: CommonFlags & { allNamespaces?: boolean }, [kindText = '', name]) {
    const kind = findKind(kindText);
    await withCluster(flags, async (client, namespace) => {
      const objects = await readObjects(client, kind, flags.allNamespaces ? undefined : namespace, name);
      const output = flags.output as Output;
      print(renderObjects(kind, objects, output, name !== undefined, Date.now()));
    });
  },
};

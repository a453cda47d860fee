import { applyManifest, waitAccepted } from '../apply.js';
import { withCluster } from '../cluster.js';
import { readManifests } from '../manifests.js';
import { print } from '../print.js';
import type { Command, CommonFlags } from './table.js';

const acceptedWithinMs = 10_000;

export const applyCommand: Command = {
  name: 'apply',
  summary: 'create or change objects; waits until strategies and accounts are accepted',
  flags: [
    {
      flags: '-f, --filename <file>',
      description: 'manifest, or - for standard input; repeatable',
      repeatable: true,
      required: true,
      complete: 'file',
    },
  ],
  cluster: true,
  outputs: ['text', 'json'],
  examples: ['flashpod apply -f crds/samples/momentum-taker.yaml'],
  async run(flags: CommonFlags & { filename: string[] }) {
    const manifests = flags.filename.flatMap(readManifests);
    await withCluster(flags, async (client, namespace) => {
      for (const manifest of manifests) {
        const { object, outcome } = await applyManifest(client, manifest, namespace);
        await waitAccepted(client, object, acceptedWithinMs);
        const { kind, metadata } = manifest;
        print(
          flags.output === 'json'
            ? JSON.stringify({ kind, name: metadata.name, outcome })
            : `${kind.toLowerCase()}/${metadata.name} ${outcome}`,
        );
      }
    });
  },
};

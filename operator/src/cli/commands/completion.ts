import { withCluster } from '../cluster.js';
import { candidates, completionScript, givenValue, type Shell, shells } from '../completion.js';
import { readObjects } from '../get.js';
import { findKind } from '../kinds.js';
import { print } from '../print.js';
import { UsageError } from '../usage.js';
import type { Command } from './table.js';

export const completionCommand: Command = {
  name: 'completion',
  summary: 'print the completions of a shell',
  arguments: [{ name: 'shell', description: shells.join(', '), complete: { words: shells } }],
  examples: ['source <(flashpod completion bash)', 'flashpod completion fish | source'],
  run(_flags, [shell = '']) {
    const found = shells.find((one): one is Shell => one === shell);
    if (found === undefined) throw new UsageError('shell', shell, `one of ${shells.join(', ')}`);
    print(completionScript(found));
  },
};

/** What the scripts ask: candidates for the last word, one a line, or `:file` and `:folder`. */
export async function complete(commands: readonly Command[], words: readonly string[]): Promise<void> {
  const found = candidates(commands, words);
  const current = words.at(-1) ?? '';
  if (typeof found === 'string') print(`:${found}`);
  else if (!('kind' in found)) for (const one of found.filter((word) => word.startsWith(current))) print(one);
  else {
    // `logs agent` is asked for the name of a core.
    const kind = findKind(found.kind === 'agent' ? 'core' : found.kind);
    const kubeconfig = givenValue(words, '--kubeconfig');
    const desk = givenValue(words, '-n', '--namespace');
    const common = { ...(kubeconfig && { kubeconfig }), ...(desk && { namespace: desk }) };
    await withCluster(common, async (client, namespace) => {
      for (const { metadata } of await readObjects(client, kind, namespace, undefined))
        if (metadata.name.startsWith(current)) print(metadata.name);
    });
  }
}

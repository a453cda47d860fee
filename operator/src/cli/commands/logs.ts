import { withCluster } from '../cluster.js';
import { containerOf, type LogFlags, logWords, readLog } from '../logs.js';
import type { Command, CommonFlags } from './table.js';

export const logsCommand: Command = {
  name: 'logs',
  summary: 'print what a strategy, a core or its agent has logged',
  arguments: [
    { name: 'what', description: logWords.join(', '), complete: { words: logWords } },
    { name: 'name', description: 'name of the strategy or core', complete: { kind: '$1' } },
  ],
  flags: [
    { flags: '-f, --follow', description: 'go on with what comes, until Ctrl-C' },
    { flags: '--tail <lines>', description: 'only the last lines' },
    { flags: '-p, --previous', description: 'of the process before the last restart' },
  ],
  cluster: true,
  examples: ['flashpod logs strategy imbalance-maker --tail 20', 'flashpod logs core core --follow'],
  async run(flags: CommonFlags & LogFlags, [what = '', name = '']) {
    const stop = new AbortController();
    process.once('SIGINT', () => stop.abort());
    // A reader that has left, e.g. `head`, ends us without a word.
    process.stdout.on('error', () => stop.abort());
    await withCluster(flags, async (client, namespace) => {
      const container = await containerOf(client, namespace, what, name);
      for await (const text of readLog(client, namespace, container, flags, stop.signal))
        process.stdout.write(text);
    });
  },
};

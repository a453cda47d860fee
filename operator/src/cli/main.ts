// The `flashpod` command.
import { Command, CommanderError, Option } from 'commander';
import { Exit, FlashpodError, messageOf } from '../errors.js';
import { KubeClient } from '../kube/index.js';
import { applyManifest, waitAccepted } from './apply.js';
import { type Output, outputs, readObjects, renderObjects } from './get.js';
import { type HaltFlags, haltFrom, waitReached } from './halt.js';
import { findKind, resourceOf } from './kinds.js';
import { readManifests } from './manifests.js';
import { up } from './up/index.js';
import { parseUpOptions, type UpFlags } from './up/options.js';
import { currentKubeconfig } from './up/run-directory.js';

const acceptedWithinMs = 10_000;
const reachedWithinMs = 5_000;

interface Common {
  kubeconfig?: string;
  namespace?: string;
  output?: Output;
}

/** The cluster of --kubeconfig or KUBECONFIG, else the local run that is up, else kubectl's default. */
function connect(common: Common): KubeClient {
  // KUBECONFIG may list several files: its own reader joins them.
  const kubeconfig = common.kubeconfig ?? (process.env['KUBECONFIG'] ? undefined : currentKubeconfig());
  return KubeClient.load(kubeconfig === undefined ? {} : { kubeconfig });
}

async function withClient(
  common: Common,
  work: (client: KubeClient, namespace: string) => Promise<void>,
): Promise<void> {
  const client = connect(common);
  try {
    await work(client, common.namespace ?? client.namespace);
  } finally {
    await client.close();
  }
}

const collect = (value: string, former: string[] = []): string[] => [...former, value];
const print = (text: string): void => void process.stdout.write(`${text}\n`);

function withCommon(command: Command, choices: readonly string[] = ['text', 'json']): Command {
  return command
    .option(
      '--kubeconfig <file>',
      'kubeconfig to use (default: KUBECONFIG, the local run that is up, ~/.kube/config)',
    )
    .option('-n, --namespace <name>', 'namespace (default: that of the kubeconfig)')
    .addOption(new Option('-o, --output <format>', 'output format').choices([...choices]));
}

const program = new Command('flashpod')
  .description('Runs trading strategies beside an exchange: locally, or on Kubernetes.')
  .exitOverride()
  .addHelpText(
    'after',
    `\nExit codes: ${Exit.ok} done, ${Exit.refused} refused (the reason is printed), ${Exit.usage} wrong usage, ` +
      `${Exit.unavailable} not reachable, ${Exit.conflict} conflict, ${Exit.notFound} not found.`,
  );

program
  .command('up')
  .description('start everything on this machine and trade on a simulated exchange until Ctrl-C')
  .option('--replay <file...>', 'replay recorded markets instead of the synthetic one')
  .option('--seed <number>', 'seed of the synthetic market', '1')
  .option('--speed <factor>', "speed of the market's clock: 1, a factor, or max", '1')
  .option('--for <duration>', 'stop after this long, e.g. 60s, 2m')
  .option('--headless', 'print lines instead of a live table')
  .option('--report <file>', 'write what happened as JSON')
  .option('--venue-set <name=value>', 'a switch of the simulated exchange; repeatable', collect)
  .option('--venue-faults <file>', 'faults of the simulated exchange')
  .option(
    '--restart-backoff <duration>',
    'longest wait before a process that crashed again is started again, 1s to 300s',
    '300s',
  )
  .action(async (flags: UpFlags) => {
    const startedAt = Number(process.env['FLASHPOD_STARTED_AT'] ?? Date.now());
    process.exitCode = await up(parseUpOptions(flags, startedAt));
  });

withCommon(
  program
    .command('apply')
    .description('create or change objects; waits until strategies and accounts are accepted'),
)
  .requiredOption('-f, --filename <file>', 'manifest, or - for standard input; repeatable', collect)
  .action(async (flags: Common & { filename: string[] }) => {
    const manifests = flags.filename.flatMap(readManifests);
    await withClient(flags, async (client, namespace) => {
      for (const manifest of manifests) {
        const applied = await applyManifest(client, manifest, namespace);
        await waitAccepted(client, applied, acceptedWithinMs);
        print(
          flags.output === 'json'
            ? JSON.stringify({ kind: manifest.kind, name: manifest.metadata.name, outcome: applied.outcome })
            : `${manifest.kind.toLowerCase()}/${manifest.metadata.name} ${applied.outcome}`,
        );
      }
    });
  });

withCommon(program.command('get').description('show objects'), outputs)
  .argument('<kind>', 'strategies, instances, accounts, cores or halts')
  .argument('[name]', 'one object')
  .option('-A, --all-namespaces', 'of every namespace')
  .action(async (kindText: string, name: string | undefined, flags: Common & { allNamespaces?: boolean }) => {
    const kind = findKind(kindText);
    await withClient(flags, async (client, namespace) => {
      const objects = await readObjects(client, kind, flags.allNamespaces ? undefined : namespace, name);
      print(renderObjects(kind, objects, flags.output ?? 'table', name !== undefined, Date.now()));
    });
  });

withCommon(program.command('halt').description('stop trading at the cores, now; or lift a halt'))
  .option('--all', 'everything in the namespace')
  .option('--strategy <name>', 'strategy to stop; repeatable', collect)
  .option('--account <name>', 'account to stop; repeatable', collect)
  .option('--core <name>', 'core to stop; repeatable', collect)
  .option(
    '--action <action>',
    'Block (no new orders), Cancel (and cancel all), Flatten (and close positions)',
    'Cancel',
  )
  .option('--reason <text>', 'why, for those who find it')
  .option('--name <name>', 'name of the Halt (default: halt-<time>)')
  .option('--lift <name>', 'remove this halt, so that trading goes on')
  .action(async (flags: Common & HaltFlags & { lift?: string }) => {
    await withClient(flags, async (client, namespace) => {
      const api = client.of(resourceOf('Halt'));
      if (flags.lift !== undefined) {
        await api.delete({ namespace, name: flags.lift });
        print(
          flags.output === 'json'
            ? JSON.stringify({ name: flags.lift, outcome: 'lifted' })
            : `halt/${flags.lift} lifted`,
        );
        return;
      }
      const wanted = haltFrom(flags, namespace, new Date());
      await api.create(wanted);
      const halt = await waitReached(client, wanted.metadata.name, namespace, reachedWithinMs);
      const reached = halt.status?.reached ?? [];
      print(
        flags.output === 'json'
          ? JSON.stringify({ name: halt.metadata.name, action: halt.spec.action, reached })
          : [
              `halt/${halt.metadata.name} in force`,
              ...reached.map(
                (core) =>
                  `  ${core.core}: blocked ${core.blockedAt}, cancels sent ${core.cancelsSentAt ?? '–'}`,
              ),
            ].join('\n'),
      );
    });
  });

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? Exit.ok : Exit.usage;
  } else {
    process.stderr.write(`flashpod: ${messageOf(error)}\n`);
    if (error instanceof FlashpodError) process.stderr.write(`${error.remedy}\n`);
    process.exitCode = error instanceof FlashpodError ? error.exitCode : Exit.internal;
  }
}

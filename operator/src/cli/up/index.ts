import { writeFileSync } from 'node:fs';
import type { Halt } from '@flashpod/crds';
import { Exit, messageOf } from '../../errors.js';
import { haltFrom, waitReached } from '../halt.js';
import { resourceOf } from '../kinds.js';
import type { LedgerComparison, VenueAudit } from './audit.js';
import { Display } from './display.js';
import { strategyFigures } from './figures.js';
import { compareUntilEqual } from './ledger.js';
import { namespace } from './objects.js';
import type { UpOptions } from './options.js';
import { buildReport, type Report, summary } from './report.js';
import { type Stack, startStack } from './stack.js';

const haltWithinMs = 5_000;
const settleWithinMs = 10_000;

/** Resolves with why the run ends: time is up, or the user wants it. A second Ctrl-C ends the process at once. */
function endOf(options: UpOptions): { promise: Promise<string>; stopped: () => boolean } {
  let stopped = false;
  const promise = new Promise<string>((resolve) => {
    const end = (why: string) => {
      stopped = true;
      resolve(why);
    };
    if (options.forMs !== undefined) setTimeout(() => end('time is up'), options.forMs).unref();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (stopped && signal === 'SIGINT') process.exit(130);
        end(signal === 'SIGINT' ? 'Ctrl-C' : signal);
      });
    }
  });
  return { promise, stopped: () => stopped };
}

async function halt(stack: Stack, action: Halt['spec']['action']): Promise<void> {
  const flags = { all: true, action, reason: 'the run ends', name: `end-of-run-${action.toLowerCase()}` };
  await stack.client.of(resourceOf('Halt')).create(haltFrom(flags, namespace, new Date()));
  await waitReached(stack.client, flags.name, namespace, haltWithinMs);
}

/** No new orders, compare the ledgers; cancel everything, compare again. */
async function closeTrading(stack: Stack, say: (line: string) => void): Promise<LedgerComparison[]> {
  const comparisons: LedgerComparison[] = [];
  const compare = async () => {
    comparisons.push(
      await compareUntilEqual(stack.venue, stack.agentSocket, stack.account.metadata.name, settleWithinMs),
    );
  };
  say('no new orders; comparing the ledger with the venue');
  await halt(stack, 'Block');
  await compare();
  say('cancelling what is open; comparing again');
  await halt(stack, 'Cancel');
  await compare();
  return comparisons;
}

async function reportOn(
  stack: Stack,
  options: UpOptions,
  comparisons: readonly LedgerComparison[],
  ranMs: number,
): Promise<Report> {
  const [instances, cores, audit] = await Promise.all([
    stack.client.of(resourceOf('StrategyInstance')).list({ namespace }),
    stack.client.of(resourceOf('ExecutionCore')).list({ namespace }),
    stack.venue.get<VenueAudit>('/audit'),
  ]);
  return buildReport({
    comparisons,
    audit,
    account: audit.accounts.find(({ apiKey }) => apiKey === stack.venue.credentials.apiKey),
    cores: cores.items,
    strategies: strategyFigures(instances.items, cores.items),
    startedAt: options.startedAt,
    ranMs,
    market: {
      source: options.replay.length > 0 ? 'replay' : 'synthetic',
      seed: options.seed,
      speed: options.speed,
    },
  });
}

/** `flashpod up`: everything on this machine, until the time is up or the user stops it. Gives the exit code. */
export async function up(options: UpOptions): Promise<number> {
  const display = new Display(options.headless);
  const end = endOf(options);
  const upAt = Date.now();
  display.say('starting venue, API server, node and operator');
  const stack = await startStack(options, (line) => display.say(line));
  try {
    display.watch(stack.client);
    const why = await Promise.race([end.promise, stack.broken]);
    display.stop();
    display.say(`stopping: ${why}`);
    const comparisons = await closeTrading(stack, (line) => display.say(line));
    const report = await reportOn(stack, options, comparisons, Date.now() - upAt);
    if (options.report !== undefined) writeFileSync(options.report, `${JSON.stringify(report, null, 2)}\n`);
    display.say('stopping strategies, core, operator and venue');
    await stack.stop();
    for (const line of summary(report)) display.print(line);
    display.print(`logs       ${stack.run.logs}`);
    return Exit.ok;
  } catch (error) {
    display.stop();
    display.say(`failed: ${messageOf(error)}`);
    throw error;
  } finally {
    await stack.stop();
  }
}

import { writeFileSync } from 'node:fs';
import type { Halt } from '@flashpod/crds';
import { Exit, messageOf } from '../../errors.js';
import { waitAccepted } from '../apply.js';
import { haltFrom, waitReached } from '../halt.js';
import { resourceOf } from '../kinds.js';
import type { Manifest } from '../manifests.js';
import type { LedgerComparison, VenueAudit } from './audit.js';
import { compare, midPrices, type Prices } from './comparison.js';
import { Display } from './display.js';
import { ended, endOfRun } from './end-of-run.js';
import { withFeePrices } from './fee-prices.js';
import { strategyFigures } from './figures.js';
import { compareUntilEqual, emptyLedger, ownAudit } from './ledger.js';
import { namespace } from './objects.js';
import type { UpOptions } from './options.js';
import { buildReport, type Report, summary } from './report.js';
import { type Stack, startStack } from './stack.js';
import { StartPrices } from './start-prices.js';

/** A core that has just been started, or has just crashed, is given this long to come and report a halt. */
const haltWithinMs = 15_000;
const settleWithinMs = 10_000;
/** Without its venue a core has nothing left to wait for: its orders ended with the venue. */
const venuelessGraceMs = 2_000;
/** The core must start, connect and tell its pairs before a strategy can be judged. */
const acceptedWithinMs = 30_000;

async function halt(stack: Stack, action: Halt['spec']['action']): Promise<void> {
  const flags = { all: true, action, reason: 'the run ends', name: `end-of-run-${action.toLowerCase()}` };
  await stack.client.of(resourceOf('Halt')).create(haltFrom(flags, namespace, new Date()));
  await waitReached(stack.client, flags.name, namespace, haltWithinMs);
}

/** No new orders, compare the ledgers; cancel everything, compare again. Adds each comparison as it is made. */
async function closeTrading(
  stack: Stack,
  comparisons: LedgerComparison[],
  say: (line: string) => void,
): Promise<void> {
  const compare = async () => {
    if (stack.venue.credentials === undefined) {
      comparisons.push(await emptyLedger(stack.agentSocket, stack.account.metadata.name));
      return;
    }
    if (stack.venue.environment === 'Production') {
      const api = stack.client.of(resourceOf('TradingAccount'));
      comparisons.push(ownAudit(await api.get({ namespace, name: stack.account.metadata.name })));
      return;
    }
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
}

/** Rejects when what the user brought, a strategy or an exchange, is refused: nobody waits for trades in vain. */
async function refusal(stack: Stack, { strategies, venue }: UpOptions): Promise<never> {
  if (strategies.length > 0 || venue !== undefined) {
    const api = stack.client.of(resourceOf('TradingStrategy'));
    const judged = stack.strategies.map(async ({ metadata: { name } }) => {
      await waitAccepted(stack.client, await api.get({ name, namespace }), acceptedWithinMs);
    });
    await Promise.all(judged);
  }
  return new Promise<never>(() => {});
}

const symbolsOf = (strategies: readonly Manifest[]): string[] =>
  strategies.flatMap(({ spec }) => (spec?.['symbols'] ?? []) as string[]);

/** What is known at the end; of a venue that has gone, nothing more is. */
async function reportOn(
  stack: Stack,
  options: UpOptions,
  comparisons: readonly LedgerComparison[],
  startPrices: Prices,
  ranMs: number,
  failure: string | undefined,
): Promise<Report> {
  const [instances, cores, accounts, audit] = await Promise.all([
    stack.client.of(resourceOf('StrategyInstance')).list({ namespace }),
    stack.client.of(resourceOf('ExecutionCore')).list({ namespace }),
    stack.client.of(resourceOf('TradingAccount')).list({ namespace }),
    stack.venue.get<VenueAudit>('/audit').catch(() => undefined),
  ]);
  const prices = await withFeePrices(stack.venue, instances.items, midPrices(cores.items));
  return buildReport({
    failure,
    comparisons,
    audit,
    account: audit?.accounts.find(({ apiKey }) => apiKey === stack.venue.credentials?.apiKey),
    cores: cores.items,
    comparison: compare(instances.items, startPrices, prices),
    strategies: strategyFigures(instances.items, cores.items, accounts.items),
    startedAt: options.startedAt,
    ranMs,
    market: {
      source: options.venue !== undefined ? 'exchange' : options.replay.length > 0 ? 'replay' : 'synthetic',
      seed: options.seed,
      speed: options.speed,
    },
  });
}

/** `flashpod up`: everything on this machine, until the time is up or the user stops it. Gives the exit code. */
export async function up(options: UpOptions): Promise<number> {
  const display = new Display(options.headless);
  const say = (line: string) => display.say(line);
  const end = endOfRun();
  const upAt = Date.now();
  say('starting venue, API server, node and operator');
  const stack = await startStack(options, end.signal, say);
  const comparisons: LedgerComparison[] = [];
  const start = new StartPrices();
  let failure: Error | undefined;
  try {
    display.watch(stack.client);
    void start.watch(stack.client, symbolsOf(stack.strategies), end.signal);
    if (options.forMs !== undefined) setTimeout(() => end.abort('time is up'), options.forMs).unref();
    const why = await Promise.race([ended(end), stack.broken, refusal(stack, options)]);
    display.stop();
    say(`stopping: ${why}`);
    await Promise.race([closeTrading(stack, comparisons, say), stack.broken]);
  } catch (error) {
    display.stop();
    failure = error instanceof Error ? error : new Error(messageOf(error));
    say(`failed: ${failure.message}`);
  }
  try {
    const report = await reportOn(
      stack,
      options,
      comparisons,
      start.prices,
      Date.now() - upAt,
      failure?.message,
    );
    if (options.report !== undefined) writeFileSync(options.report, `${JSON.stringify(report, null, 2)}\n`);
    if (stack.venue.child?.isOver) {
      say(
        `stopping; the orders are gone with the venue, so the core gets no more than ${venuelessGraceMs / 1_000} s`,
      );
      await stack.stop(venuelessGraceMs);
    } else {
      say('stopping operator, strategies, core and venue');
      await stack.stop();
    }
    for (const line of summary(report)) display.print(line);
    display.print(`logs       ${stack.run.logs}`);
  } finally {
    await stack.stop();
  }
  if (failure) throw failure;
  return Exit.ok;
}

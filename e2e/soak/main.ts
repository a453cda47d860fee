// A local run for a long time on a recorded market at ten times its rate: memory must stay, books must stay certified.

import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { parseDuration } from '../../operator/src/cli/up/options.ts';
import { LocalRun } from '../local-run.ts';
import { recording, until } from '../shared.ts';
import { growth, median, memoryOf } from './memory.ts';

const { values } = parseArgs({
  options: { for: { type: 'string', default: '1h' }, json: { type: 'string' } },
});
const forMs = parseDuration('--for', values.for);
/** One pass of the recording at its speed: what books of this market and their surroundings take is there then. */
const warmUpMs = 70_000;
/** By which share of what a process holds it may grow after that. */
const allowed = 0.01;
const samples = 240;

const files = ['btcusdt_20240808.gz', 'btcusdt_20240809.gz', 'ethusdt_20240808.gz', 'ethusdt_20240809.gz'];
/** What must be the same processes to the end: a restart would hide what they held. */
const parts = { core: 'flashpod-core', venue: 'flashpod-venue' };

interface Sample {
  readonly seconds: number;
  readonly memory: Record<string, { rssKb: number; anonymousKb: number }>;
}

/** Memory of every part now. One that is not there ends the soak. */
function look(run: LocalRun, pids: Record<string, number>, began: number): Sample {
  const memory: Sample['memory'] = {};
  for (const [name, pid] of Object.entries(pids)) {
    const found = memoryOf(pid);
    if (found === undefined || run.findPid(parts[name as keyof typeof parts]) !== pid)
      throw new Error(`${name} (process ${pid}) is gone`);
    memory[name] = found;
  }
  return { seconds: (performance.now() - began) / 1_000, memory };
}

function show({ seconds, memory }: Sample): void {
  const each = Object.entries(memory).map(
    ([name, { rssKb, anonymousKb }]) =>
      `${name} ${(rssKb / 1024).toFixed(1)} MiB (own ${(anonymousKb / 1024).toFixed(1)})`,
  );
  process.stdout.write(`${seconds.toFixed(0).padStart(6)} s  ${each.join(', ')}\n`);
}

/** Waits until every part is there; its process. */
async function processes(run: LocalRun): Promise<Record<string, number>> {
  const found = Object.entries(parts).map(
    async ([name, part]) => [name, await until(part, 60_000, () => run.findPid(part))] as const,
  );
  return Object.fromEntries(await Promise.all(found));
}

async function sample(run: LocalRun): Promise<Sample[]> {
  const pids = await processes(run);
  await sleep(warmUpMs);
  const began = performance.now();
  const taken: Sample[] = [];
  for (let number = 0; number < samples; number++) {
    const due = began + (forMs * (number + 1)) / samples;
    await sleep(Math.max(0, due - performance.now()));
    taken.push(look(run, pids, began));
    if (number % Math.ceil(samples / 30) === 0) show(taken.at(-1) as Sample);
  }
  return taken;
}

/**
 * Own memory of every part; what is wrong with it. It may grow by 1 % of what the process holds in all, and by what the
 * finished orders take that a core keeps: the last 20,000, each of up to a kibibyte.
 */
function judge(taken: readonly Sample[], orders: number): string[] {
  const allowedKb = (name: string): number =>
    allowed * median(taken.map(({ memory }) => memory[name]?.rssKb ?? Number.NaN)) +
    (name === 'core' ? Math.min(orders, 20_000) / 2 : 0);
  return Object.keys(parts).flatMap((name) => {
    const own = taken.map(({ memory }) => memory[name]?.anonymousKb ?? Number.NaN);
    const [grown, most] = [growth(own), allowedKb(name)];
    const told = `${name}: own memory grew by ${grown} KiB after the warm-up; ${most.toFixed(0)} are borne`;
    process.stdout.write(`${told}\n`);
    // The venue is not under test: it keeps every order for its audit.
    return name === 'core' && !(grown <= most) ? [told] : [];
  });
}

async function soak(): Promise<string[]> {
  const replay = files.map((file) => recording(`binance_spot_btc_eth_20240808/${file}`));
  const run = await LocalRun.start(['--replay', ...replay, '--speed', '10', '--loop']);
  const taken = await sample(run).catch(async (error: unknown) => {
    run.kill('SIGINT');
    await run.ended();
    throw error;
  });
  const { report } = await run.stop();
  const problems = judge(taken, report.ordersCompared);
  const { certifiedShare, gaps, ledgerEqualsVenue, ordersCompared, fillsCompared } = report;
  process.stdout.write(
    `books certified ${(certifiedShare * 100).toFixed(3)} % of the time, ${gaps} gaps; ${ordersCompared} orders and ` +
      `${fillsCompared} fills, ledger ${ledgerEqualsVenue ? 'equals' : 'DIFFERS FROM'} the venue's books\n`,
  );
  if (certifiedShare < 1 || gaps > 0)
    problems.push(`books were not certified all the time: ${certifiedShare}, ${gaps} gaps`);
  if (ordersCompared === 0) problems.push('no order was placed: that is no soak');
  if (!ledgerEqualsVenue) problems.push(`the ledger differs: ${report.differences.join('; ')}`);
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify({ samples: taken, report, problems }, null, 2)}\n`);
  return problems;
}

process.stdout.write(
  `soak for ${values.for} after ${warmUpMs / 1_000} s of warm-up, at 10 times the recorded rate, ${samples} samples\n`,
);
const problems = await soak();
for (const problem of problems) process.stderr.write(`${problem}\n`);
const failed = problems.length > 0 ? 1 : 0;
process.stdout.write(`${1 - failed} passed, ${failed} failed\n`);
process.exitCode = failed;

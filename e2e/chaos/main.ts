// `npm run chaos`: processes that are killed and stopped at random moments under load, or faults between core and
// exchange; a seed repeats either.
import { parseArgs } from 'node:util';
import { parseDuration } from '../../operator/src/cli/up/options.ts';
import { faults, strikes } from './run.ts';

const usage = `npm run chaos -- [--kills 40] [--stops 40] [--seed N]
npm run chaos -- --faults [--for 10m] [--seed N]`;
const recoveredWithinMs = 5_000;
const leastMs = 10_000;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

function refuse(why: string): never {
  process.stderr.write(`chaos: ${why}\n${usage}\n`);
  process.exit(2);
}

function whole(flag: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  refuse(`${flag}: ${JSON.stringify(text)} is not accepted: give a whole number`);
}

function durationOf(text: string): number {
  try {
    const lastsMs = parseDuration('--for', text);
    if (lastsMs >= leastMs) return lastsMs;
  } catch (error) {
    refuse((error as Error).message);
  }
  refuse(
    `--for: ${JSON.stringify(text)} is not accepted: give ${leastMs / 1_000}s or more, trading begins first`,
  );
}

function flags() {
  try {
    return parseArgs({
      options: {
        kills: { type: 'string', default: '40' },
        stops: { type: 'string', default: '40' },
        faults: { type: 'boolean', default: false },
        for: { type: 'string', default: '10m' },
        seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
      },
    }).values;
  } catch (error) {
    refuse((error as Error).message);
  }
}

const values = flags();
const seed = whole('--seed', values.seed);

async function withStrikes(): Promise<boolean> {
  const [kills, stops] = [whole('--kills', values.kills), whole('--stops', values.stops)];
  say(`chaos: ${kills} kills and ${stops} stops; repeat with --seed ${seed}`);
  const { recoveries, complaints, orders, fills } = await strikes(kills, stops, seed, say);
  for (const complaint of complaints) say(`broken: ${complaint}`);
  const late = recoveries.filter(({ recoveredMs }) => recoveredMs > recoveredWithinMs);
  const longest = Math.max(0, ...recoveries.map(({ recoveredMs }) => recoveredMs));
  const withOrders = recoveries.filter(({ kind, openOrders }) => kind === 'kill' && openOrders > 0);
  say(
    `seed ${seed}: ${kills} kills, ${withOrders.length} of them with orders open, and ${stops} stops; ` +
      `longest recovery ${(longest / 1_000).toFixed(2)} s, ${late.length} above ${recoveredWithinMs / 1_000} s; ` +
      `${orders} orders and ${fills} fills compared; ${complaints.length} invariants broken`,
  );
  return complaints.length + late.length === 0;
}

async function withFaults(): Promise<boolean> {
  const lastsMs = durationOf(values.for);
  say(`chaos: faults for ${lastsMs / 1_000} s; repeat with --seed ${seed}`);
  const { complaints, met, orders, fills } = await faults(lastsMs, seed, say);
  for (const complaint of complaints) say(`broken: ${complaint}`);
  const struck = Object.values(met).reduce((sum, count) => sum + count, 0);
  say(
    `seed ${seed}: ${lastsMs / 1_000} s of faults; ${orders} orders and ${fills} fills compared; ` +
      `${struck} faults met, ${complaints.length} invariants broken`,
  );
  return complaints.length === 0 && struck > 0;
}

process.exitCode = (await (values.faults ? withFaults() : withStrikes())) ? 0 : 1;

// `npm run chaos`: processes that are killed and stopped at random moments under load; a seed repeats them.
import { parseArgs } from 'node:util';
import { strikes } from './run.ts';

const usage = `npm run chaos -- [--kills 40] [--stops 40] [--seed N]`;
const recoveredWithinMs = 5_000;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

function whole(flag: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  process.stderr.write(
    `chaos: ${flag}: ${JSON.stringify(text)} is not accepted: give a whole number\n${usage}\n`,
  );
  process.exit(2);
}

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '40' },
    stops: { type: 'string', default: '40' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
  },
});
const seed = whole('--seed', values.seed);
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
process.exitCode = complaints.length + late.length === 0 ? 0 : 1;

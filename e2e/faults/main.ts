// `npm run test:faults`: every process kill and a part of the rest that a seed decides, or `--all`.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { Seeded } from '../chaos/seed.ts';
import { failpointComplaints } from './binaries.ts';
import { type Cell, runCell } from './cell.ts';
import { coreBinary } from './core.ts';
import { cells, kills, nameOf } from './table.ts';
import { World } from './world.ts';

const usage = `npm run test:faults -- [--all] [--seed N] [--rest N] [--only STAGE,FAULT] [--workers N]

  --all      every cell; else all that kill a process, and --rest others that the seed draws
  --rest     how many of the others (40)
  --only     cells whose name has all of these words in it, e.g. --only ack-lost,gap
  --workers  pairs of exchange and core side by side (3)`;

interface Row {
  readonly cell: Cell;
  readonly seconds: number;
  readonly evidence: string;
  readonly complaints: readonly string[];
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function refuse(why: string): never {
  process.stderr.write(`test:faults: ${why}\n${usage}\n`);
  process.exit(2);
}

function whole(flag: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  refuse(`${flag}: ${JSON.stringify(text)} is not accepted: give a whole number`);
}

function flags() {
  try {
    return parseArgs({
      options: {
        all: { type: 'boolean', default: false },
        seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
        rest: { type: 'string', default: '40' },
        only: { type: 'string' },
        workers: { type: 'string', default: '3' },
      },
    }).values;
  } catch (error) {
    refuse((error as Error).message);
  }
}

const values = flags();
const seed = whole('--seed', values.seed);
const random = new Seeded(seed);

function chosen(): Cell[] {
  if (values.only !== undefined) {
    const words = values.only.split(',');
    const named = cells.filter((cell) => words.every((word) => nameOf(cell).split(' × ').includes(word)));
    if (named.length === 0) {
      refuse(
        `--only: ${JSON.stringify(values.only)} names no cell; there are ${cells.map(nameOf).join(', ')}`,
      );
    }
    return named;
  }
  if (values.all) return random.shuffled(cells);
  const rest = random.shuffled(cells.filter((cell) => !kills(cell))).slice(0, whole('--rest', values.rest));
  return random.shuffled([...cells.filter(kills), ...rest]);
}

/** Takes cells from the queue until it is empty; after a failure it goes on with a new pair of processes. */
async function work(queue: Cell[], world: World, done: (row: Row) => void): Promise<World> {
  let current = world;
  for (let number = 1; ; number += 1) {
    const cell = queue.shift();
    if (!cell) return current;
    const began = Date.now();
    const verdict = await runCell(current, cell, number).catch((error: Error) => ({
      evidence: '',
      complaints: [error.message],
    }));
    done({ cell, seconds: (Date.now() - began) / 1_000, ...verdict });
    if (verdict.complaints.length > 0) {
      for (const line of current.core.log.slice(-8)) say(`      ${line}`);
      await current.stop();
      current = await World.start(random.whole(1, 1e6));
    }
  }
}

/** Ends a core in order: nothing stays open, and its journal gives every decision again. */
async function close(world: World): Promise<string[]> {
  try {
    await world.exchange.setFaults([]);
    await world.recover();
    world.core.signal('SIGTERM');
    const { code } = await world.core.ended();
    const { orders } = await world.exchange.account();
    const open = orders.filter(({ closedUnixNs }) => closedUnixNs === null).length;
    const replay = spawnSync(coreBinary, ['replay', '--journal', world.core.journal, '--verify'], {
      encoding: 'utf8',
    });
    return [
      ...(code === 0 ? [] : [`the core ended with ${code}`]),
      ...(open === 0 ? [] : [`${open} orders are open after its end`]),
      ...(replay.status === 0 ? [] : [`replay --verify: ${replay.stdout}${replay.stderr}`]),
    ];
  } catch (error) {
    return [(error as Error).message];
  } finally {
    await world.stop();
  }
}

const binaries = failpointComplaints();
for (const complaint of binaries) say(`broken: ${complaint}`);
if (binaries.length > 0) process.exit(1);
say('test:faults: the release binary has no failpoints');
const queue = chosen();
const total = queue.length;
const began = Date.now();
say(`test:faults: ${total} of ${cells.length} cells; repeat with --seed ${seed}`);
const rows: Row[] = [];
const done = (row: Row): void => {
  rows.push(row);
  const sign = row.complaints.length === 0 ? 'ok  ' : 'FAIL';
  const count = `${rows.length}/${total}`.padStart(7);
  say(
    `${count} ${sign} ${nameOf(row.cell).padEnd(32)} ${row.seconds.toFixed(1).padStart(5)} s  ${row.evidence}`,
  );
  for (const complaint of row.complaints) say(`      ${complaint}`);
};
const workers = Math.min(whole('--workers', values.workers), total);
const ends = await Promise.all(
  Array.from({ length: workers }, async () => {
    const world = await work(queue, await World.start(random.whole(1, 1e6)), done);
    return close(world);
  }),
);
const broken = ends.flat();
for (const complaint of broken) say(`broken at the end: ${complaint}`);
const failed = rows.filter(({ complaints }) => complaints.length > 0);
for (const { cell } of failed) say(`failed: ${nameOf(cell)}`);
say(`test:faults: seed ${seed}, ${total} cells, ${((Date.now() - began) / 60_000).toFixed(1)} min`);
const failures = failed.length + (broken.length > 0 ? 1 : 0);
say(`${rows.length - failed.length} passed, ${failures} failed`);
process.exitCode = failures === 0 ? 0 : 1;

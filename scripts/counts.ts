// `node scripts/counts.ts [--write]`: instructions of the hot paths by callgrind, and their allocations, held against
// core-engine/crates/bench/counts.json. Part of `npm run check`; `--write` records what is.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cargoManifest, root } from './parts.ts';

const file = join(root, 'core-engine/crates/bench/counts.json');
/** Instructions may differ by so much: hash maps are seeded anew in every process. Allocations hardly do. */
const tolerance = 0.03;
const allocationTolerance = 0.02;

interface Path {
  path: string;
  operation: string;
  operations: number;
  allocations: number;
  instructions?: number;
}
interface Counts {
  compiler: string;
  paths: Path[];
}

function run(command: string, args: string[]): { out: string; err: string } {
  const { stdout, stderr, status, error } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
  return { out: stdout, err: stderr };
}

const has = (command: string): boolean => spawnSync(command, ['--version']).status === 0;

/** Instructions of one run, as callgrind counts them on its own model of the processor. */
function instructions(binary: string, path: string, length: 'short' | 'long'): number {
  const args = [
    '--tool=callgrind',
    '--callgrind-out-file=/dev/null',
    binary,
    '--only',
    path,
    '--once',
    length,
  ];
  const { err } = run('valgrind', args);
  const collected = /Collected : (\d+)/.exec(err)?.[1];
  if (collected === undefined) throw new Error(`callgrind counted nothing:\n${err}`);
  return Number(collected);
}

function count(withInstructions: boolean): Counts {
  run('cargo', ['build', '--release', '--locked', '--quiet', ...cargoManifest, '-p', 'flashpod-bench']);
  const target = process.env['CARGO_TARGET_DIR'] ?? join(root, 'core-engine/target');
  const binary = join(target, 'release/flashpod-bench');
  const lines = run(binary, ['--counts']).out.trim().split('\n');
  const paths = lines.map((line) => {
    const path = JSON.parse(line) as Path;
    const { allocations, operation, operations } = path;
    const kept = { path: path.path, operation, operations, allocations };
    if (!withInstructions) return kept;
    const more = instructions(binary, path.path, 'long') - instructions(binary, path.path, 'short');
    return { ...kept, instructions: Math.round(more / operations) };
  });
  return { compiler: run('rustc', ['--version']).out.trim(), paths };
}

/** What is more than is written down. */
function differences(kept: Counts, now: Counts, gateInstructions: boolean): string[] {
  return now.paths.flatMap((path) => {
    const before = kept.paths.find((one) => one.path === path.path);
    if (before === undefined) return [`${path.path} is not in the file`];
    const found: string[] = [];
    if (path.allocations > before.allocations * (1 + allocationTolerance))
      found.push(
        `${path.path}: ${path.allocations} allocations in ${path.operations}, the file says ${before.allocations}`,
      );
    const [is, was] = [path.instructions, before.instructions];
    if (gateInstructions && is !== undefined && was !== undefined && is - was > was * tolerance)
      found.push(`${path.path}: ${is} instructions a ${path.operation}, the file says ${was}`);
    return found;
  });
}

const valgrind = has('valgrind');
if (!valgrind)
  process.stdout.write('valgrind is not installed: instructions are not counted, allocations are\n');
const now = count(valgrind);
for (const { path, operation, operations, allocations, instructions: each } of now.paths) {
  const told = each === undefined ? '' : `, ${each} instructions a ${operation}`;
  process.stdout.write(`${path}: ${allocations} allocations in ${operations}${told}\n`);
}
if (process.argv.includes('--write')) {
  if (!valgrind) throw new Error('--write needs valgrind: the file holds instructions');
  writeFileSync(file, `${JSON.stringify(now, null, 2)}\n`);
} else {
  const kept = JSON.parse(readFileSync(file, 'utf8')) as Counts;
  const same = kept.compiler === now.compiler;
  if (!same && valgrind)
    process.stdout.write(
      `instructions are not compared: the file is of ${kept.compiler}, this is ${now.compiler}\n`,
    );
  const found = differences(kept, now, same);
  for (const difference of found) process.stderr.write(`${difference}\n`);
  if (found.length > 0) {
    process.stderr.write('If that is meant: `node scripts/counts.ts --write`, and say why in the commit.\n');
    process.exitCode = 1;
  }
}

// `npm run bench -- [--json FILE] [--only NAME]`: what exists of the budgets, with fat LTO. `--only native` (or one of
// its sections) for the addon of @flashpod/native, `--only restart` for a core that is killed and comes back; the other
// names are those of `flashpod-bench`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { bin, cargoManifest, root } from './parts.ts';

const args = process.argv.slice(2).map((arg, i, all) => (all[i - 1] === '--json' ? resolve(arg) : arg));
const optionOf = (name: string): string | undefined =>
  args.find((_, i) => args[i - 1] === name) ??
  args.find((arg) => arg.startsWith(`${name}=`))?.split('=', 2)[1];
const [only, json] = [optionOf('--only'), optionOf('--json')];
const isNative = only?.split('.')[0] === 'native';

function run(command: string, ...all: string[]): boolean {
  const { status, error } = spawnSync(command, all, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...addon },
  });
  if (error) process.stderr.write(`flashpod: cannot run ${command}: ${error.message}\n`);
  return status === 0;
}

const file = join(process.env['CARGO_TARGET_DIR'] ?? join(root, 'core-engine/target'), 'dist/flashpod.node');
const addon = { FLASHPOD_NATIVE_ADDON: file };

function core(): boolean {
  const binary = [
    'run',
    '--profile',
    'dist',
    '--locked',
    ...cargoManifest,
    '-p',
    'flashpod-bench',
    '--',
    ...args,
  ];
  return run('cargo', ...binary);
}

/** As the core's, into the same file: its figures behind those that are there. */
function native(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'flashpod-bench-'));
  try {
    const own = join(folder, 'native.json');
    const ready = run(bin('node'), 'scripts/native.ts', '--profile', 'dist', '--out', file);
    const chosen = isNative && only !== undefined ? ['--only', only] : [];
    const good = ready && run(bin('node'), 'scripts/native-bench/main.ts', '--json', own, ...chosen);
    if (json !== undefined && existsSync(own)) merge(json, own);
    return good;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A core that is killed and comes back: its own last line is what goes into the file. */
function restart(): boolean {
  const args = [
    'bench',
    '--profile',
    'dist',
    '--locked',
    ...cargoManifest,
    '-p',
    'flashpod-core',
    '--bench',
    'restart',
  ];
  const binaries = process.env['FLASHPOD_BIN_DIR'] ?? join(root, 'core-engine/target/release');
  const env = { ...process.env, FLASHPOD_BIN_DIR: binaries };
  process.stdout.write(
    '\nrestart: a core with 150 orders open, 40 finished and 10 unknown is killed and comes back\n',
  );
  const { status, stdout, error } = spawnSync('cargo', args, {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  if (error) process.stderr.write(`flashpod: cannot run cargo: ${error.message}\n`);
  process.stdout.write((stdout ?? '').replaceAll(/^(?=.)/gm, '  '));
  const last = (stdout ?? '').trim().split('\n').at(-1) ?? '';
  if (status !== 0 || !last.startsWith('{')) return false;
  if (json !== undefined) mergeResults(json, JSON.parse(last) as Record<string, unknown>);
  return true;
}

const read = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;

function mergeResults(into: string, more: Record<string, unknown>): void {
  const before = existsSync(into) && only === undefined ? read(into) : { figures: [], notRun: [] };
  writeFileSync(into, `${JSON.stringify({ ...before, ...more }, null, 2)}\n`);
}

function merge(into: string, own: string): void {
  const [before, more] = [!isNative && existsSync(into) ? read(into) : {}, read(own)];
  const both = (name: string) =>
    [before[name], more[name]].flatMap((list) => (Array.isArray(list) ? list : []));
  const merged = { ...before, ...more, figures: both('figures'), notRun: both('notRun') };
  writeFileSync(into, `${JSON.stringify(merged, null, 2)}\n`);
}

process.stderr.write('flashpod: building the benchmarks with fat LTO (a few minutes the first time)\n');
const wants = (part: 'core' | 'restart' | 'native'): boolean =>
  only === undefined || part === (isNative ? 'native' : only === 'restart' ? 'restart' : 'core');
const done = [!wants('core') || core(), !wants('restart') || restart(), !wants('native') || native()];
process.exitCode = done.every(Boolean) ? 0 : 1;

// `npm run fuzz -- [--for 10m] [--target NAME]`: builds the fuzzer with a counter in every branch, and lets it hunt.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import './sources.ts';
import { cargoManifest, root } from './parts.ts';

const { parseDuration } = await import('../operator/src/cli/up/options.ts');
const usage = 'npm run fuzz -- [--for 10m] [--target NAME] [--seed N] [--keep N] [--list]';

function refuse(why: string): never {
  process.stderr.write(`fuzz: ${why}\n${usage}\n`);
  process.exit(2);
}

function flags() {
  try {
    return parseArgs({
      options: {
        for: { type: 'string', default: '10m' },
        target: { type: 'string' },
        seed: { type: 'string' },
        keep: { type: 'string' },
        list: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    refuse((error as Error).message);
  }
}

function seconds(text: string): string {
  try {
    return String(Math.max(1, Math.round(parseDuration('--for', text) / 1_000)));
  } catch (error) {
    refuse((error as Error).message);
  }
}

/** LLVM's SanitizerCoverage, which the stable compiler has; only what is built for this target gets it. */
const coverage = [
  '-Cpasses=sancov-module',
  '-Cllvm-args=-sanitizer-coverage-level=3',
  '-Cllvm-args=-sanitizer-coverage-inline-8bit-counters',
  '-Ccodegen-units=1',
  '-Cdebug-assertions',
  '-Coverflow-checks',
];

function hostTriple(): string {
  const { stdout } = spawnSync('rustc', ['-vV'], { encoding: 'utf8' });
  const host = /^host: (.+)$/m.exec(stdout ?? '')?.[1];
  if (host === undefined) refuse('`rustc -vV` names no host: install Rust 1.90 or newer (https://rustup.rs)');
  return host;
}

const values = flags();
const triple = hostTriple();
const target = process.env['CARGO_TARGET_DIR'] ?? join(root, 'core-engine/target');
const folder = join(target, 'fuzz');
const build = ['build', '--release', '--locked', '--quiet', '-p', 'flashpod-fuzz', '--target', triple];
const options = { cwd: root, stdio: 'inherit' } as const;
const env = { ...process.env, CARGO_TARGET_DIR: folder, RUSTFLAGS: coverage.join(' ') };
const { status } = spawnSync('cargo', [...build, ...cargoManifest], { ...options, env });
if (status !== 0) refuse('the fuzzer could not be built; what cargo printed is above');

const args = Object.entries({ target: values.target, seed: values.seed, keep: values.keep }).flatMap(
  ([name, value]) => (value === undefined ? [] : [`--${name}`, value]),
);
const command = join(folder, triple, 'release/flashpod-fuzz');
const hunt = values.list ? ['--list'] : ['--seconds', seconds(values.for), ...args];
process.exitCode = spawnSync(command, hunt, options).status ?? 1;

#!/usr/bin/env node
// The one way in: `npm start`, `npm test` and every other script come through here. Uses Node's built-ins only and
// runs on Node 18 or newer; installs what is missing, once, then goes on under the Node 24 that npm brought.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));
const node24 = join(root, 'node_modules', '.bin', 'node');
const startedAt = Date.now();
/** Where binaries are that somebody else has built. */
const ownBinaries = process.env.FLASHPOD_BIN_DIR;

/** What each task needs built before it can run, and the module that runs it under Node 24. */
const tasks = {
  start: {
    rust: ['flashpod-core', 'flashpod-venue'],
    typescript: 'tsconfig.json',
    module: 'operator/bin/flashpod.js',
    args: ['up'],
  },
  build: {
    rust: ['flashpod-core', 'flashpod-venue'],
    typescript: 'tsconfig.json',
    module: 'scripts/native.ts',
  },
  // What `flashpod up` runs, and what the tests of a strategy need: for those that `flashpod init` makes elsewhere.
  'build-local': { rust: ['flashpod-core', 'flashpod-venue'], typescript: 'tsconfig.json' },
  'build-sdk': { typescript: 'strategy-pods/sdk' },
  test: { module: 'scripts/test.ts' },
  check: { module: 'scripts/check.ts' },
  bench: {
    rust: ['flashpod-core', 'flashpod-venue'],
    typescript: 'tsconfig.json',
    module: 'scripts/bench.ts',
  },
  'bench:peers': { module: 'scripts/bench-peers/main.ts' },
  generate: { module: 'scripts/generate.ts' },
  chaos: {
    rust: ['flashpod-core', 'flashpod-venue'],
    typescript: 'tsconfig.json',
    module: 'scripts/chaos.ts',
  },
  soak: {
    rust: ['flashpod-core', 'flashpod-venue'],
    typescript: 'tsconfig.json',
    module: 'scripts/soak.ts',
  },
  'test:faults': {
    rust: ['flashpod-core', 'flashpod-venue'],
    typescript: 'tsconfig.json',
    module: 'scripts/faults.ts',
  },
  fuzz: { module: 'scripts/fuzz.ts' },
  compare: {
    rust: ['flashpod-core', 'flashpod-venue'],
    typescript: 'tsconfig.json',
    module: 'scripts/compare.ts',
  },
  audit: { module: 'scripts/audit.ts' },
};

const children = new Set();
/** Set once the task itself runs. */
let taskProcess;

function fail(message) {
  for (const child of children) child.kill('SIGTERM');
  process.stderr.write(`flashpod: ${message}\n`);
  process.exit(1);
}

function say(message) {
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(0);
  process.stderr.write(`flashpod: [${seconds} s] ${message}\n`);
}

/** Runs a command with its output shown; resolves when it ended well, ends the process when it did not. */
function run(what, command, args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: ['ignore', 2, 2],
      env: { ...process.env, ...env },
    });
    children.add(child);
    child.on('error', (error) => fail(`${what}: cannot run ${command}: ${error.message}`));
    child.on('exit', (code, signal) => {
      children.delete(child);
      if (code === 0) resolve();
      else fail(`${what} failed (${signal ?? `exit code ${code}`}); what it printed is above`);
    });
  });
}

function lockHash() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
}

/** Installs the npm packages when they are missing or the lock file has changed since they were installed. */
async function installPackages() {
  const stamp = join(root, 'node_modules', '.flashpod-lock');
  const hash = lockHash();
  if (existsSync(stamp) && existsSync(node24) && readFileSync(stamp, 'utf8') === hash) return;
  say('installing npm packages (about a minute the first time)');
  // `npm ci` insists on platform packages that not every registry mirrors; `npm install` follows the same lock.
  const npm = process.env.npm_execpath;
  const [command, prefix] = npm ? [process.execPath, [npm]] : ['npm', []];
  await run('npm install', command, [...prefix, 'install', '--no-audit', '--no-fund', '--loglevel=error'], {
    // A script run by npm inherits settings that would change what this install does.
    npm_config_ignore_scripts: 'false',
  });
  if (!existsSync(node24)) {
    fail(
      'npm installed no Node 24: the install script of the package "node" did not run. ' +
        'Allow it (npm config: ignore-scripts=false, allowScripts in package.json) and run this again.',
    );
  }
  writeFileSync(stamp, lockHash());
}

function requireCargo() {
  const version = spawnSync('cargo', ['--version'], { encoding: 'utf8' });
  if (version.status !== 0) {
    fail(
      'Rust is missing: `cargo` was not found. Install Rust 1.90 or newer (https://rustup.rs) and run this again.',
    );
  }
  const [, major, minor] = /cargo (\d+)\.(\d+)/.exec(version.stdout) ?? [];
  if (Number(major) === 1 && Number(minor) < 90) {
    fail(`Rust 1.90 or newer is needed, found ${version.stdout.trim()}. Run \`rustup update stable\`.`);
  }
}

async function buildRust(packages) {
  requireCargo();
  const args = ['build', '--release', '--locked', '--manifest-path', 'core-engine/Cargo.toml'];
  const fresh = existsSync(join(root, 'core-engine/target/release/flashpod-core'));
  if (!fresh) say('building the execution core and the venue (a few minutes the first time)');
  await run('cargo build', 'cargo', [
    ...args,
    ...(fresh ? ['--quiet'] : []),
    ...packages.flatMap((name) => ['-p', name]),
  ]);
}

async function buildTypeScript(project) {
  await run('TypeScript build', node24, [
    join(root, 'node_modules/typescript/bin/tsc'),
    '-b',
    join(root, project),
  ]);
}

async function main() {
  const [major] = process.versions.node.split('.').map(Number);
  if (major < 18)
    fail(`Node 18 or newer is needed to start, found ${process.version}. See https://nodejs.org`);
  const [name, ...args] = process.argv.slice(2);
  const task = tasks[name];
  if (!task) fail(`unknown task ${JSON.stringify(name ?? '')}; one of: ${Object.keys(tasks).join(', ')}`);

  await Promise.all([installPackages(), task.rust && !ownBinaries ? buildRust(task.rust) : undefined]);
  if (task.typescript) await buildTypeScript(task.typescript);
  if (!task.module) return;

  taskProcess = spawn(node24, [join(root, task.module), ...(task.args ?? []), ...args], {
    stdio: 'inherit',
    env: { ...process.env, FLASHPOD_STARTED_AT: String(startedAt) },
  });
  taskProcess.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

// A signal may come to this process alone: it is passed on, and the task decides when it is done. Before the task
// runs, what installs and builds ends with us.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (taskProcess) {
      taskProcess.kill(signal);
      return;
    }
    for (const child of children) child.kill(signal);
    process.exit(128 + constants.signals[signal]);
  });
}
await main();

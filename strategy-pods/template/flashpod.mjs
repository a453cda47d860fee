// `npm test` and `npm start` come through here: installs the packages when they are missing or package.json has
// changed, has Flashpod build itself, builds the strategy, and goes on under the Node 24 that npm brought.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));
const bin = (name) => join(root, 'node_modules', '.bin', name);
const manifest = readFileSync(join(root, 'package.json'), 'utf8');
const startedAt = Date.now();

/** The checkout of Flashpod that package.json refers to. */
const sdk = JSON.parse(manifest).dependencies['@flashpod/sdk'].replace(/^file:/, '');
const checkout = resolve(root, sdk, '..', '..');

function fail(message) {
  process.stderr.write(`__NAME__: ${message}\n`);
  process.exit(1);
}

let child;
/** Runs a command to its end; ends this process as it ended when that was badly. */
function run(command, args, env = {}) {
  child = spawn(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
  return new Promise((done) => {
    child.on('error', (error) => fail(`cannot run ${command}: ${error.message}`));
    child.on('exit', (code, signal) =>
      code === 0 ? done() : process.exit(code ?? 128 + constants.signals[signal]),
    );
  });
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child?.kill(signal));

const [task = '', ...args] = process.argv.slice(2);
if (!['build', 'start', 'test'].includes(task))
  fail(`unknown task ${JSON.stringify(task)}; one of: build, start, test`);
if (Number(process.versions.node.split('.')[0]) < 18)
  fail(`Node 18 or newer is needed, found ${process.version}`);
if (!existsSync(join(checkout, 'bootstrap.mjs'))) {
  fail(
    `there is no Flashpod in ${checkout}; correct the file: dependencies in package.json, or move it back`,
  );
}

// Trading needs the core and the exchange; tests only the SDK.
await run(process.execPath, [
  join(checkout, 'bootstrap.mjs'),
  task === 'start' ? 'build-local' : 'build-sdk',
]);
const stamp = join(root, 'node_modules', '.installed');
const hash = createHash('sha256').update(manifest).digest('hex');
if (!existsSync(stamp) || !existsSync(bin('node')) || readFileSync(stamp, 'utf8') !== hash) {
  const npm = process.env.npm_execpath;
  const install = ['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  await run(npm ? process.execPath : 'npm', [...(npm ? [npm] : []), ...install], {
    npm_config_ignore_scripts: 'false',
  });
  if (!existsSync(bin('node'))) {
    fail(
      'npm installed no Node 24: allow the install script of the package "node" (allowScripts in package.json)',
    );
  }
  writeFileSync(stamp, hash);
}
await run(bin('node'), [bin('tsc'), '-p', root]);
if (task === 'test') await run(bin('node'), ['--test', join(root, 'dist', '**', '*.test.js')]);
if (task === 'start') {
  await run(bin('flashpod'), ['up', '--strategy', root, ...args], { FLASHPOD_STARTED_AT: String(startedAt) });
}

#!/usr/bin/env node
// The `flashpod` command. Plain JavaScript so that any Node can start it; goes on under the Node 24 of the checkout.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const node24 = join(root, 'node_modules', '.bin', 'node');
const main = join(root, 'operator', 'dist', 'cli', 'main.js');

if (!existsSync(main)) {
  process.stderr.write(`flashpod: not built yet: run \`npm run build\` in ${root}\n`);
  process.exit(1);
}
if (process.versions.node.startsWith('24.')) {
  await import(main);
} else {
  const child = spawn(node24, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`flashpod: cannot start Node 24 at ${node24}: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

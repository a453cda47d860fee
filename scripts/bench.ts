// `npm run bench -- [--json FILE] [--only NAME]`: what exists of the budgets, with fat LTO.
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { cargoManifest, root } from './parts.ts';

const args = process.argv.slice(2).map((arg, i, all) => (all[i - 1] === '--json' ? resolve(arg) : arg));
const run = ['run', '--profile', 'dist', '--locked', ...cargoManifest, '-p', 'flashpod-bench', '--', ...args];
process.stderr.write('flashpod: building the benchmarks with fat LTO (a few minutes the first time)\n');
const { status, error } = spawnSync('cargo', run, { cwd: root, stdio: 'inherit' });
if (error) process.stderr.write(`flashpod: cannot run cargo: ${error.message}\n`);
process.exitCode = status ?? 1;

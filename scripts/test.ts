// `npm test`: every test that needs no cluster. Builds what the tests run.
import { join } from 'node:path';
import { bin, cargoCounts, cargoManifest, root, runParts, vitest } from './parts.ts';

const release = [
  'build',
  '--release',
  '--locked',
  ...cargoManifest,
  '-p',
  'flashpod-core',
  '-p',
  'flashpod-venue',
];

process.exitCode = await runParts('npm test', [
  { name: 'build: Rust binaries', command: 'cargo', args: release },
  { name: 'build: Node addon', command: bin('node'), args: ['scripts/native.ts'] },
  { name: 'build: TypeScript', command: bin('tsc'), args: ['-b', root] },
  {
    name: 'Rust',
    command: 'cargo',
    args: ['test', '--locked', '--workspace', '--no-fail-fast', ...cargoManifest],
    counts: cargoCounts,
    env: { FLASHPOD_BIN_DIR: process.env['FLASHPOD_BIN_DIR'] ?? join(root, 'core-engine/target/release') },
  },
  vitest('TypeScript', ['--project', 'unit']),
  vitest('whole path', ['--project', 'e2e']),
]);

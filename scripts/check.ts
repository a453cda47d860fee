// `npm run check`: format, lint, types, generated files fresh, dependency rule, licences.
import { bin, cargoManifest, root, runParts } from './parts.ts';

process.exitCode = await runParts('npm run check', [
  { name: 'generated files are fresh', command: bin('node'), args: ['scripts/generate.ts', '--check'] },
  { name: 'biome: format and lint', command: bin('biome'), args: ['ci', '--error-on-warnings', '.'] },
  { name: 'types', command: bin('tsc'), args: ['-b', root] },
  { name: 'types: scripts and tests', command: bin('tsc'), args: ['-p', 'scripts'] },
  { name: 'portable CEL in definitions', command: bin('node'), args: ['scripts/cel-check.ts'] },
  { name: 'dependency rule', command: bin('node'), args: ['scripts/dependency-rule.ts'] },
  { name: 'licences', command: bin('node'), args: ['scripts/licences.ts'] },
  { name: 'instructions and allocations', command: bin('node'), args: ['scripts/counts.ts'] },
  { name: 'rustfmt', command: 'cargo', args: ['fmt', '--all', '--check', ...cargoManifest] },
  {
    name: 'clippy',
    command: 'cargo',
    args: [
      'clippy',
      '--locked',
      '--workspace',
      '--all-targets',
      '--quiet',
      ...cargoManifest,
      '--',
      '-D',
      'warnings',
    ],
  },
]);

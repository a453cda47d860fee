// `npm run generate`: makes every generated file. `--check` makes them and fails when the tree was stale.
import { spawnSync } from 'node:child_process';
import { bin, root } from './parts.ts';

/** Each generator writes its files in place; the order matters where one reads another's output. */
const generators: [what: string, command: string, ...args: string[]][] = [
  ['gRPC messages', bin('node'), 'core-engine/proto/generate.mjs'],
  ['types of the API', bin('node'), 'crds/scripts/generate.mjs'],
  ['types of the addon', bin('node'), 'scripts/native.ts', '--types'],
  ['build of the strategies', bin('tsc'), '-b', 'strategy-pods/sidecar'],
  ['parameter schemas', bin('node'), 'strategy-pods/strategies/generate.mjs'],
  ['catalog of strategies', bin('node'), 'operator/scripts/generate-catalog.mjs'],
  ['table of errors', bin('node'), 'scripts/errors-table.ts'],
  ['failure matrix', bin('node'), 'scripts/failure-matrix.ts'],
  ['list of portable CEL', bin('node'), 'scripts/cel-table.ts'],
];

function git(args: string[]): string {
  const { stdout, status } = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`git ${args.join(' ')} failed`);
  return stdout;
}

const check = process.argv.includes('--check');
const state = () => git(['status', '--porcelain']) + git(['diff']);
const before = check ? state() : '';
for (const [what, command, ...args] of generators) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) {
    process.stderr.write(`flashpod: generating the ${what} failed\n`);
    process.exit(1);
  }
}
if (check && state() !== before) {
  process.stderr.write(
    'flashpod: generated files were stale: run `npm run generate` and commit the result\n',
  );
  process.stderr.write(git(['status', '--short']));
  process.exit(1);
}

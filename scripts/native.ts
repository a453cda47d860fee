// Builds the addon of @flashpod/native with plain cargo and puts it beside the package's JavaScript.
// `--types` writes the TypeScript of its functions as well, `--profile NAME --out FILE` builds another one elsewhere.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { addonTypes } from './addon-types.ts';
import { cargoManifest, root } from './parts.ts';

const crate = 'flashpod-native';
const { values: options } = parseArgs({
  options: {
    types: { type: 'boolean', default: false },
    profile: { type: 'string', default: 'release' },
    out: { type: 'string', default: join(root, 'strategy-pods/native/dist/flashpod.node') },
  },
});

/** napi-derive writes what it exports into a file of this folder, whenever the crate is compiled. */
const typesFolder = join(
  resolve(process.env['CARGO_TARGET_DIR'] ?? join(root, 'core-engine/target')),
  options.profile,
  'addon-types',
);

function build(): string {
  mkdirSync(typesFolder, { recursive: true });
  const args = ['build', '--profile', options.profile, '--locked', ...cargoManifest, '-p', crate];
  const { status, stdout, error } = spawnSync(
    'cargo',
    [...args, '--quiet', '--message-format', 'json-render-diagnostics'],
    {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 64 << 20,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NAPI_TYPE_DEF_TMP_FOLDER: typesFolder },
    },
  );
  if (status !== 0) throw new Error(`building ${crate} failed${error ? `: ${error.message}` : ''}`);
  for (const line of stdout.split('\n')) {
    const message = line.startsWith('{') ? JSON.parse(line) : {};
    if (message.reason !== 'compiler-artifact' || message.target.name !== crate.replace('-', '_')) continue;
    const library = (message.filenames as string[]).find((name) => /\.(so|dylib|dll)$/.test(name));
    if (library !== undefined) return library;
  }
  throw new Error(`cargo made no library of ${crate}`);
}

const library = build();
const out = resolve(options.out);
mkdirSync(dirname(out), { recursive: true });
// Not over the file itself: a process that has it loaded would read other code than it began with.
copyFileSync(library, `${out}.new`);
renameSync(`${out}.new`, out);
if (options.types) {
  const told = readFileSync(join(typesFolder, crate), 'utf8');
  writeFileSync(join(root, 'strategy-pods/native/src/binding.generated.ts'), addonTypes(told));
}

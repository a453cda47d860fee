// Generates src/gen/ from flashpod/v1/*.proto. Needs no network and no protoc: buf compiles, the local plugin writes.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const bins = join(here, '..', '..', 'node_modules', '.bin');
const buf = join(bins, process.platform === 'win32' ? 'buf.cmd' : 'buf');
if (!existsSync(buf)) {
  console.error(`generate: ${buf} is missing; run npm install at the root of the repository`);
  process.exit(1);
}
const { status, error } = spawnSync(buf, ['generate'], {
  cwd: here,
  stdio: 'inherit',
  env: { ...process.env, PATH: `${bins}${delimiter}${process.env.PATH}` },
});
if (error) console.error(`generate: ${error.message}`);
process.exit(status ?? 1);

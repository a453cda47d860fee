// `node scripts/kubectl-transcript.ts record`: runs kubectl against a real API server and writes down what passes.
// `node scripts/kubectl-transcript.ts show N`: prints what was written down of one scene.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { buildBinaries } from './kubernetes/binaries.ts';
import type { Transcript } from './transcript/format.ts';
import { record } from './transcript/record.ts';

const file = join(import.meta.dirname, 'transcript', 'kubectl.generated.json.gz');

async function write(only: string | undefined): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'flashpod-transcript-'));
  try {
    const { kubernetes, scenes } = await record(directory, buildBinaries(['kubectl']).kubectl, only);
    const lines = scenes.map((scene) => JSON.stringify(scene)).join(',\n');
    const text = `{"kubernetes":${JSON.stringify(kubernetes)},"scenes":[\n${lines}\n]}\n`;
    // A group by itself is for those who work on it; the transcript is always of all.
    if (only === undefined) writeFileSync(file, gzipSync(text, { level: 9 }));
    else process.stdout.write(text);
    process.stderr.write(`${scenes.length} scenes, ${text.length} bytes\n`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const [command, argument] = process.argv.slice(2);
if (command === 'record') await write(argument);
else if (command === 'show') {
  const { scenes } = JSON.parse(gunzipSync(readFileSync(file)).toString('utf8')) as Transcript;
  process.stdout.write(`${JSON.stringify(scenes[Number(argument)] ?? null, null, 2)}\n`);
} else {
  process.stderr.write('usage: node scripts/kubectl-transcript.ts record [GROUP OF SCENES] | show NUMBER\n');
  process.exitCode = 2;
}

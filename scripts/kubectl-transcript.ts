// `node scripts/kubectl-transcript.ts record`: runs kubectl against a real API server and writes down what passes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { buildBinaries } from './kubernetes/binaries.ts';
import { record } from './transcript/record.ts';

const [command, only] = process.argv.slice(2);
if (command !== 'record') {
  process.stderr.write('usage: node scripts/kubectl-transcript.ts record [NAME OF A GROUP OF SCENES]\n');
  process.exit(2);
}
const output = join(import.meta.dirname, 'transcript', 'kubectl.generated.json.gz');
const directory = mkdtempSync(join(tmpdir(), 'flashpod-transcript-'));
try {
  const transcript = await record(directory, buildBinaries(['kubectl']).kubectl, only);
  const scenes = transcript.scenes.map((scene) => JSON.stringify(scene));
  const text = `{"kubernetes":${JSON.stringify(transcript.kubernetes)},"scenes":[\n${scenes.join(',\n')}\n]}\n`;
  if (only === undefined) writeFileSync(output, gzipSync(text, { level: 9 }));
  else writeFileSync(join(tmpdir(), `transcript-${only}.json`), text);
  process.stderr.write(`${transcript.scenes.length} scenes, ${text.length} bytes\n`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}

// The embedded API server answers kubectl as the real one does: request by request, as recorded from that one.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiServer, startApiServer } from '../operator/src/local/api-server/index.ts';
import { ALLOWED } from './transcript/allowed.ts';
import type { Scene, Transcript } from './transcript/format.ts';
import { Replay } from './transcript/replay.ts';

const file = join(import.meta.dirname, 'transcript', 'kubectl.generated.json.gz');
const transcript = JSON.parse(gunzipSync(readFileSync(file)).toString('utf8')) as Transcript;

let server: ApiServer;
let replay: Replay;

beforeAll(async () => {
  server = await startApiServer();
  replay = new Replay(server);
});
afterAll(() => server.stop());

function titleOf({ command, exchanges }: Scene, index: number): string {
  const [first = '', ...more] = command.split('\n');
  const rest = more.length === 0 ? '' : ` and ${more.length} more`;
  return `${index}: ${first}${rest} (${exchanges.length} requests)`;
}

describe(`kubectl ${transcript.kubernetes} is answered as by the real server`, () => {
  it.each(transcript.scenes.map((scene, index) => [titleOf(scene, index), scene] as const))(
    '%s',
    async (_, scene) => {
      expect(await replay.play(scene)).toEqual([]);
    },
  );

  it('and every difference that is allowed exists', () => {
    expect([...replay.met].sort()).toEqual(ALLOWED.map(({ why }) => why).sort());
  });
});

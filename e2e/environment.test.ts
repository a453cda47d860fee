import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Finished, runFlashpod } from './local-run.ts';
import { checkout } from './shared.ts';

// Surroundings that are wrong: ports that are taken, disks that are full, folders that may not be written, files that
// are something else, tools that are old or missing. A row is what is wrong, how a process meets it, and what it says.

const binaries = process.env['FLASHPOD_BIN_DIR'] ?? join(checkout, 'core-engine/target/release');
const core = join(binaries, 'flashpod-core');
const venue = join(binaries, 'flashpod-venue');
const folder = mkdtempSync(join(tmpdir(), 'flashpod-env-'));
const inside = (name: string): string => join(folder, name);
let taken: Server;
let takenAddress = '';

beforeAll(async () => {
  taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  takenAddress = `127.0.0.1:${(taken.address() as AddressInfo).port}`;

  const account = { name: 'main', environment: 'Simulated', credentials: 'main' };
  const ends = { rest: 'http://127.0.0.1:1', ws: 'ws://127.0.0.1:1/ws' };
  const config = { core: 'core', namespace: 'default', accounts: [{ ...account, ...ends }] };
  writeFileSync(inside('core.json'), JSON.stringify(config));
  mkdirSync(inside('credentials/main'), { recursive: true });
  writeFileSync(inside('credentials/main/apiKey'), 'PLANTED-key');
  writeFileSync(inside('credentials/main/secretKey'), 'PLANTED-secret');
  writeFileSync(inside('a-file'), 'x');
  mkdirSync(inside('empty'));
  mkdirSync(inside('old'));
  writeFileSync(inside('old/cargo'), '#!/bin/sh\necho cargo 1.70.0\n');
  chmodSync(inside('old/cargo'), 0o755);

  const line = '1723161253937085768 {"stream":"x","data":{"s":"BTCUSDT","b":[["1","1"]],"a":[]}}\n';
  writeFileSync(inside('truncated.gz'), gzipSync(line.repeat(2_000)).subarray(0, 30));
  writeFileSync(inside('empty.gz'), gzipSync(''));
  writeFileSync(inside('other.json'), '{"market":"BTCUSDC"}');
  writeFileSync(inside('half.json'), '{"accounts":[{"apiKey":');
});

afterAll(() => {
  taken.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a command to its end; without `PATH` in `env` it has ours. */
function run(command: string, args: string[], env: Record<string, string> = {}): Promise<Finished> {
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // What does not notice goes on for ever.
    timeout: 20_000,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

const coreArgs = (change: Record<string, string> = {}): string[] => {
  const flags = {
    '--config': inside('core.json'),
    '--state-dir': inside('state'),
    '--socket-dir': inside('run'),
    '--credentials-dir': inside('credentials'),
    ...change,
  };
  return ['run', ...Object.entries(flags).flat()];
};

/** A node that says it is an older one. */
const olderNode = (version: string): Record<string, string> => ({
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(
    `Object.defineProperty(process,'version',{value:'v${version}'});` +
      `Object.defineProperty(process,'versions',{value:{...process.versions,node:'${version}'}})`,
  )}`,
});
const bootstrap = ['bootstrap.mjs', 'build-local'].map((arg, i) => (i === 0 ? join(checkout, arg) : arg));
/** Only what is in this folder can be found. */
const path = (found: string): Record<string, string> => ({
  PATH: `${inside(found)}:${dirname(process.execPath)}`,
});

const rows: [what: string, meet: () => Promise<Finished>, code: number, said: (string | RegExp)[]][] = [
  [
    'a port for metrics that is taken',
    () => run(core, coreArgs({ '--metrics': takenAddress })),
    1,
    [/--metrics|metrics/, /127\.0\.0\.1:\d+/, /in use/],
  ],
  [
    'a port for the exchange that is taken',
    () => run(venue, ['--listen', takenAddress]),
    1,
    ['--listen', /127\.0\.0\.1:\d+/, /in use/],
  ],
  [
    'a state directory below a file',
    () => run(core, coreArgs({ '--state-dir': inside('a-file/state') })),
    1,
    ['state directory', 'a-file/state', /Not a directory/],
  ],
  [
    'a socket directory below a file',
    () => run(core, coreArgs({ '--socket-dir': inside('a-file/run') })),
    1,
    ['socket', 'a-file/run', /Not a directory/],
  ],
  [
    'a socket directory whose name is too long',
    () => run(core, coreArgs({ '--socket-dir': inside('x'.repeat(100)) })),
    1,
    ['socket path', /at most 107/],
  ],
  [
    'a disk without room for the journal',
    // What a full disk is to the writer: not a byte more than so many, and an error instead of a signal.
    () => run('/bin/bash', ['-c', `trap '' XFSZ; ulimit -f 1024; exec "$0" "$@"`, core, ...coreArgs()]),
    1,
    ['journal', /preallocate/, /File too large/],
  ],
  [
    'a configuration that is empty',
    () => run(core, coreArgs({ '--config': inside('a-file') })),
    1,
    ['a-file', /expected value/],
  ],
  [
    'an authority file that holds no certificate',
    () => run(core, [...coreArgs(), '--ca-file', inside('a-file')]),
    1,
    ['a-file', /certificate/],
  ],
  [
    'accounts of the exchange cut in the middle',
    () => run(venue, ['--accounts', inside('half.json')]),
    1,
    ['--accounts', 'half.json', /EOF/],
  ],
  [
    'accounts of another format',
    () => run(venue, ['--accounts', inside('other.json')]),
    1,
    ['--accounts', 'other.json', /accounts/],
  ],
  [
    'faults of another format',
    () => run(venue, ['--faults', inside('other.json')]),
    1,
    ['--faults', 'other.json', /faults/],
  ],
  [
    'a recording cut in the middle',
    () => run(venue, ['--replay', inside('truncated.gz')]),
    1,
    ['truncated.gz'],
  ],
  ['a recording of nothing', () => run(venue, ['--replay', inside('empty.gz')]), 1, ['empty.gz']],
  [
    'a recording of another format',
    () => runFlashpod(['up', '--replay', inside('other.json')]),
    2,
    ['--replay', 'other.json', 'is not accepted'],
  ],
  [
    'a kubeconfig of another format',
    () => runFlashpod(['get', 'strategies', '--kubeconfig', inside('other.json')]),
    2,
    ['other.json'],
  ],
  [
    'an API server that is not there',
    () => {
      const server = { name: 'x', cluster: { server: 'https://127.0.0.1:1' } };
      const contexts = [{ name: 'x', context: { cluster: 'x', user: 'x' } }];
      const users = [{ name: 'x', user: { token: 'PLANTED' } }];
      const kubeconfig = { 'current-context': 'x', clusters: [server], contexts, users };
      writeFileSync(inside('away.json'), JSON.stringify(kubeconfig));
      return runFlashpod(['get', 'strategies', '--kubeconfig', inside('away.json')]);
    },
    3,
    ['127.0.0.1:1', /refused/i],
  ],
  [
    'a Node that is too old',
    () => run(process.execPath, bootstrap, olderNode('16.20.2')),
    1,
    ['Node 18 or newer is needed', 'v16.20.2'],
  ],
  [
    'an older Node for the command, which goes on under its own',
    () =>
      run(process.execPath, [join(checkout, 'operator/bin/flashpod.js'), 'get', 'podz'], olderNode('18.0.0')),
    2,
    ['kind: "podz" is not accepted'],
  ],
  [
    'no Rust',
    () => run(process.execPath, bootstrap, { ...path('empty'), FLASHPOD_BIN_DIR: '' }),
    1,
    ['Rust is missing', 'Install Rust 1.90 or newer'],
  ],
  [
    'a Rust that is too old',
    () => run(process.execPath, bootstrap, { ...path('old'), FLASHPOD_BIN_DIR: '' }),
    1,
    ['Rust 1.90 or newer is needed', 'cargo 1.70.0'],
  ],
];

test.each(rows)('%s is told', async (_, meet, code, said) => {
  const { code: ended, output } = await meet();
  for (const part of said) expect(output).toMatch(part);
  expect(output).not.toContain('PLANTED');
  expect(ended, output).toBe(code);
});

import { globSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { kinds as ours } from '@flashpod/crds';
import { create, makeClient, SessionUpSchema, StrategyService } from '@flashpod/proto';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { defineResource, type Resource, Secrets } from '../operator/src/kube/index.ts';
import { LocalRun } from './local-run.ts';
import { until } from './shared.ts';

// A run with keys of its own, as every run has them, and everything done to make a part speak of them: refused keys,
// refused tokens, refused requests, crashes. Then each place where one could have gone is searched.

const namespace = 'default';
/** Where secrets belong: files of Secrets, the venue's own accounts, and the kubeconfig, which is a Secret. */
const homes = [
  /^n\/pods\/[^/]+\/(v|c\/[^/]+\/etc\/flashpod)\/(token|credentials[^/]*)\//,
  /^venue-accounts\.json$/,
  /^kubeconfig$/,
];

let run: LocalRun;
/** What must be found nowhere, by what it is. */
const planted = new Map<string, string>();
/** What the run printed, its report, and what was asked of it, by where it was found. */
const said = new Map<string, string>();

const secretsOf = async () => (await run.client.of(Secrets).list({ namespace })).items;

/** A secret in the forms in which it may be written down. */
function forms(secret: string): Buffer[] {
  const base64 = Buffer.from(secret).toString('base64').replace(/=+$/, '');
  return [secret, base64, Buffer.from(secret).toString('hex'), encodeURIComponent(secret)].map((form) =>
    Buffer.from(form),
  );
}

function found(where: string, content: Buffer | string): string[] {
  const bytes = Buffer.from(content);
  return [...planted].flatMap(([what, secret]) =>
    forms(secret).some((form) => bytes.includes(form)) ? [`${what} is in ${where}`] : [],
  );
}

async function plant(): Promise<void> {
  for (const { metadata, data = {} } of await secretsOf())
    for (const [key, value] of Object.entries(data))
      planted.set(`${metadata.name}/${key}`, Buffer.from(value, 'base64').toString());
  const token = /token: *"?([^"\s]+)/.exec(readFileSync(run.kubeconfig, 'utf8'))?.[1];
  if (token === undefined) throw new Error(`${run.kubeconfig} has no token`);
  planted.set('the token of the API server', token);
}

async function write(name: string, stringData: Record<string, string>): Promise<void> {
  await run.client.of(Secrets).mergePatch({ namespace, name }, { stringData } as never);
  for (const [key, value] of Object.entries(stringData))
    planted.set(`${name}/${key} as it was changed to, no. ${planted.size}`, value);
}

/** Kills a part as soon as it runs. */
async function kill(part: string): Promise<void> {
  process.kill(await until(part, 30_000, () => run.findPid(part)), 'SIGKILL');
}

function logOf(part: string): string {
  return globSync(join(run.folder, `logs/**/${part}.log`))
    .map((file) => readFileSync(file, 'utf8'))
    .join('');
}

async function trades(): Promise<void> {
  const before = (await run.audit()).orders.length;
  await until('new orders', 60_000, async () => (await run.audit()).orders.length > before + 3);
}

beforeAll(async () => {
  run = await LocalRun.start(['--restart-backoff', '1s']);
  await trades();
  await plant();
});

afterAll(() => run.kill('SIGKILL'));

/** Keys of the private streams: short-lived, and state that the journal keeps for the core's next start. */
function listenKeys(): string[] {
  const keys = globSync(join(run.folder, 'n/host/var/lib/flashpod/*/*/journal/*')).flatMap((file) =>
    [...readFileSync(file, 'latin1').matchAll(/"listenKey":"([^"]+)"/g)].map(([, key = '']) => key),
  );
  return [...new Set(keys)];
}

test('a key that the exchange refuses is told without the key', async () => {
  const secret = (await secretsOf()).find(({ metadata }) => metadata.name === 'mexc-credentials');
  const original = Object.fromEntries(
    Object.entries(secret?.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
  );
  await write('mexc-credentials', {
    apiKey: 'mx0PLANTEDkey',
    secretKey: 'PLANTED-secret-of-another-account',
  });
  const file = globSync(join(run.folder, 'n/pods/*/v/credentials*/**/apiKey'))[0] ?? '';
  await until('the new key on disk', 10_000, () => readFileSync(file, 'utf8') === 'mx0PLANTEDkey');
  await kill('flashpod-core');
  await until('the refusal in the status of the account', 30_000, async () => {
    const { output } = await run.flashpod(['get', 'accounts', '-o', 'yaml']);
    said.set('the status of an account whose key is refused', output);
    return /userDataStream\s+was refused: MEXC/.test(output);
  });

  // A file that holds no key: the message names the file only.
  await write('mexc-credentials', { secretKey: 'PLANTED two words' });
  await until('the malformed key on disk', 10_000, () =>
    readFileSync(join(file, '..', 'secretKey'), 'utf8').includes('two words'),
  );
  await kill('flashpod-core');
  await until('the complaint in the log of the core', 30_000, () => logOf('core').includes('no key has'));

  await run.client.of(Secrets).mergePatch({ namespace, name: 'mexc-credentials' }, {
    stringData: original,
  } as never);
  await trades();
});

test('a token that the core refuses is told without the token', async () => {
  planted.set('a wrong token', 'PLANTED-token-of-nobody');
  const socket = globSync(join(run.folder, 'n/host/run/flashpod/*/i/*/core.sock'))[0] ?? '';
  const client = makeClient(StrategyService, `unix:${socket}`);
  const instance = (await run.flashpod(['get', 'instances'])).output.split('\n')[1]?.split(' ')[0] ?? '';
  const refusal = await new Promise<Error>((resolve) => {
    const session = client.session();
    session.on('error', resolve);
    session.write(
      create(SessionUpSchema, {
        body: { case: 'hello', value: { instance, token: 'PLANTED-token-of-nobody' } },
      }),
    );
  });
  client.close();
  expect(refusal.message).toContain('UNAUTHENTICATED');
  said.set('the refusal of a token', refusal.message);
  await until('the refusal in the log of the core', 10_000, () => logOf('core').includes('session refused'));
});

test('requests that are refused do not repeat what they brought', async () => {
  const ask = async (where: string, url: string, options: Parameters<typeof request>[1]) => {
    const { statusCode, body } = await request(url, options);
    said.set(where, `${statusCode} ${await body.text()}`);
    expect(statusCode, where).toBeGreaterThanOrEqual(400);
  };
  const kubeconfig = readFileSync(run.kubeconfig, 'utf8');
  const server = /server"?: *"?(http[^"\s]+)/.exec(kubeconfig)?.[1] ?? '';
  const authority = /certificate-authority-data"?: *"?([^"\s]+)/.exec(kubeconfig)?.[1] ?? '';
  const dispatcher = new Agent({ connect: { ca: Buffer.from(authority, 'base64') } });
  planted.set('a wrong bearer token', 'PLANTED-bearer');
  await ask('the API server’s answer', `${server}/api/v1/secrets`, {
    headers: { authorization: 'Bearer PLANTED-bearer' },
    dispatcher,
  });
  await dispatcher.close();
  const agentSecret = await run.flashpod(['get', 'strategies', '-n', 'no-such']);
  said.set('an answer of flashpod get', agentSecret.output);
  for (const kind of ['strategies', 'instances', 'accounts', 'cores', 'halts']) {
    const { output } = await run.flashpod(['get', kind, '-o', 'yaml']);
    said.set(`flashpod get ${kind} -o yaml`, output);
  }
});

test('no object but a Secret has one, nor has any event', async () => {
  const builtIn: Resource[] = [
    ['', 'v1', 'pods', 'Pod'],
    ['', 'v1', 'configmaps', 'ConfigMap'],
    ['', 'v1', 'events', 'Event'],
    ['events.k8s.io', 'v1', 'events', 'Event'],
    ['coordination.k8s.io', 'v1', 'leases', 'Lease'],
  ].map(([group = '', version = '', plural = '', kind = '']) =>
    defineResource({ group, version, plural, kind, namespaced: true }),
  );
  const all = [
    ...builtIn,
    ...Object.values(ours).map((kind) => defineResource({ ...kind, namespaced: true })),
  ];
  let objects = 0;
  for (const resource of all) {
    const { items } = await run.client.of(resource).list({});
    objects += items.length;
    expect(found(`a ${resource.kind}`, JSON.stringify(items))).toEqual([]);
  }
  expect(objects).toBeGreaterThan(10);
});

/** Every process that we may look into: also of the test itself, which holds none in its environment. */
function processes(): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
}

test('no command line and no environment has one', () => {
  let read = 0;
  for (const pid of processes()) {
    for (const file of ['cmdline', 'environ']) {
      try {
        const content = readFileSync(join('/proc', pid, file));
        read += 1;
        expect(found(`/proc/${pid}/${file}`, content)).toEqual([]);
      } catch (error) {
        // It ended meanwhile, or is somebody else's.
        if (!['ENOENT', 'ESRCH', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      }
    }
  }
  expect(read).toBeGreaterThan(10);
});

test('no metric has one', async () => {
  // Who serves metrics says where in its log or its status.
  const addresses = new Set<string>();
  const [core] = (await run.client.of(defineResource({ ...ours.ExecutionCore, namespaced: true })).list({}))
    .items as { status?: { metricsAddress?: string } }[];
  if (core?.status?.metricsAddress) addresses.add(core.status.metricsAddress);
  for (const log of ['operator', 'strategy', 'agent'].map(logOf))
    for (const [, address = ''] of log.matchAll(/"http":"([^"]+:\d+)"/g)) addresses.add(address);
  let served = 0;
  for (const address of addresses) {
    const answer = await request(`http://${address}/metrics`).catch(() => undefined);
    if (answer === undefined) continue;
    served += 1;
    expect(found(`the metrics of ${address}`, await answer.body.text())).toEqual([]);
  }
  expect(served).toBeGreaterThanOrEqual(2);
});

test('after the run no log, journal, report or other file has one, and nobody else may read them', async () => {
  const { output, report } = await run.stop();
  said.set('what the run printed', output);
  said.set('the report', JSON.stringify(report));
  for (const [where, text] of said) expect(found(where, text)).toEqual([]);

  const keysOfStreams = listenKeys();
  expect(keysOfStreams).not.toEqual([]);
  const files = globSync(join(run.folder, '**/*'), { withFileTypes: true }).filter((file) => file.isFile());
  let journals = 0;
  for (const { parentPath, name } of files) {
    const path = join(parentPath, name);
    const place = relative(run.folder, path);
    if (homes.some((home) => home.test(place))) {
      expect(statSync(path).mode & 0o077, place).toBe(0);
      continue;
    }
    const content = readFileSync(path);
    expect(found(place, content)).toEqual([]);
    if (place.includes('/journal/')) journals += 1;
    else
      for (const key of keysOfStreams) expect(content.includes(key), `a listen key in ${place}`).toBe(false);
  }
  expect(journals).toBeGreaterThan(0);
  // One folder that is closed to all others keeps everything below it.
  expect(statSync(run.folder).mode & 0o077).toBe(0);
});

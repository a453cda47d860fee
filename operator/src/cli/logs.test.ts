import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { KubeClient } from '../kube/index.js';
import { containerOf, readLog } from './logs.js';

const folder = mkdtempSync(join(tmpdir(), 'flashpod-logs-'));
let server: Server;
let client: KubeClient;
let answer: (request: IncomingMessage, response: ServerResponse) => void;

beforeAll(async () => {
  server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const kubeconfig = join(folder, 'kubeconfig');
  const named = (key: string, value: object) => [{ name: 'x', [key]: value }];
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'x',
    clusters: named('cluster', { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true }),
    users: named('user', {}),
    contexts: named('context', { cluster: 'x', user: 'x' }),
  };
  writeFileSync(kubeconfig, stringify(config));
  client = KubeClient.load({ kubeconfig });
});
afterAll(async () => {
  await client.close();
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

const metadata = { name: 'maker', namespace: 'desk', uid: 'u', resourceVersion: '1' };
const stored = (status: object) => ({ apiVersion: 'x/v1', kind: 'TradingStrategy', metadata, status });
const json = (response: ServerResponse, status: number, body: object) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

test('a strategy’s log is that of its instance’s pod, cores and agents are containers of one', async () => {
  answer = (_, response) => json(response, 200, stored({ instance: 'maker-1' }));
  const of = (word: string) => containerOf(client, 'desk', word, 'maker');
  expect(await of('strategy')).toEqual({ pod: 'maker-1', container: 'strategy' });
  expect(await of('core')).toEqual({ pod: 'maker-core', container: 'core' });
  expect(await of('agent')).toEqual({ pod: 'maker-core', container: 'agent' });
  await expect(of('venue')).rejects.toThrow(
    'what: "venue" is not accepted: give one of strategy, core, agent',
  );
});

test('a strategy that does not run has no log, and says where the reason is', async () => {
  answer = (_, response) => json(response, 200, stored({}));
  await expect(containerOf(client, 'desk', 'strategy', 'maker')).rejects.toMatchObject({
    code: 'cli.no-logs',
    remedy: 'See why: flashpod describe strategy maker',
  });
});

test('text comes as the server sends it, also characters that a chunk cuts in two', async () => {
  let asked = '';
  answer = async ({ url = '', headers }, response) => {
    asked = `${url} ${headers.accept}`;
    const bytes = Buffer.from('one µs\ntwo\n');
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.write(bytes.subarray(0, 5));
    response.end(bytes.subarray(5));
  };
  let text = '';
  const container = { pod: 'p', container: 'core' };
  for await (const part of readLog(client, 'desk', container, { tail: '20', follow: true })) text += part;
  expect(text).toBe('one µs\ntwo\n');
  expect(asked).toBe('/api/v1/namespaces/desk/pods/p/log?container=core&follow=true&tailLines=20 */*');
});

test('following ends when the caller wants it to', async () => {
  answer = (_, response) => response.writeHead(200).write('first\n');
  const stop = new AbortController();
  const container = { pod: 'p', container: 'core' };
  const seen: string[] = [];
  for await (const part of readLog(client, 'desk', container, { follow: true }, stop.signal)) {
    seen.push(part);
    stop.abort();
  }
  expect(seen).toEqual(['first\n']);
});

test('what the server refuses is thrown with its reason; a wrong number of lines never leaves', async () => {
  answer = (_, response) =>
    json(response, 404, { kind: 'Status', code: 404, reason: 'NotFound', message: 'pods "p" not found' });
  const read = (tail?: string) =>
    readLog(client, 'desk', { pod: 'p', container: 'core' }, tail === undefined ? {} : { tail }).next();
  await expect(read()).rejects.toThrow('pods "p" not found');
  await expect(read('many')).rejects.toThrow('--tail: "many" is not accepted: give a number of lines');
});

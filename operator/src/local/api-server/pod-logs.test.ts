import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../kube/testing/eventually.js';
import { TestServer } from './testing/server.js';

// Parameters and answers are those of read_core_v1_namespaced_pod_log in the documentation of the Kubernetes API.

const PODS = '/api/v1/namespaces/default/pods';
const log = (name: string, query = '') => server.call('GET', `${PODS}/${name}/log?${query}`);
const at = (seconds: number) => Date.now() - seconds * 1000;
const line = (secondsAgo: number, message: string) => JSON.stringify({ time: at(secondsAgo), msg: message });
let logs: string;
let server: TestServer;

async function pod(name: string, containers: string[], restarts = 0): Promise<void> {
  await server.call('POST', PODS, {
    metadata: { name },
    spec: { containers: containers.map((container) => ({ name: container, image: 'test/x' })) },
  });
  await server.call('POST', `${PODS}/${name}/binding`, { target: { name: 'n' } });
  const containerStatuses = containers.map((container) => ({ name: container, restartCount: restarts }));
  await server.call('PATCH', `${PODS}/${name}/status`, { status: { phase: 'Running', containerStatuses } });
}

function write(name: string, container: string, runs: string[]): string {
  const folder = join(logs, `default_${name}`);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${container}.log`);
  writeFileSync(file, '');
  writeFileSync(`${file}.runs`, '');
  let length = 0;
  for (const run of runs) {
    appendFileSync(`${file}.runs`, `${length}\n`);
    appendFileSync(file, run);
    length += run.length;
  }
  return file;
}

/** Follows a log, from when its beginning was told. */
async function followFrom(name: string, beginning: string) {
  const { server: api } = server;
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = { ca: api.certificate, headers: { authorization: `Bearer ${api.token}` } };
    get(`${api.url}${PODS}/${name}/log?follow=true`, options, resolve).once('error', reject);
  });
  const text: string[] = [];
  answer.setEncoding('utf8').on('data', (piece: string) => text.push(piece));
  const ended = once(answer, 'end');
  await eventually(
    () => Promise.resolve(text.join('')),
    (sofar) => sofar === beginning,
  );
  return { text, ended };
}

beforeAll(async () => {
  logs = mkdtempSync(join(tmpdir(), 'fpl-'));
  server = await TestServer.start(undefined, { podLogs: logs });
});
afterAll(async () => {
  await server.stop();
  rmSync(logs, { recursive: true });
});

describe('the log of a pod', () => {
  it('is that of its container, of its present run', async () => {
    await pod('plain', ['main'], 1);
    write('plain', 'main', ['first\n', 'second\nthird\n']);
    const whole = await log('plain');
    expect([whole.status, whole.headers.get('content-type'), whole.body]).toEqual([
      200,
      'text/plain',
      'second\nthird\n',
    ]);
    expect((await log('plain', 'previous=true')).body).toBe('first\n');
    expect((await log('plain', 'tailLines=1')).body).toBe('third\n');
    expect((await log('plain', 'tailLines=0')).body).toBe('');
    expect((await log('plain', 'limitBytes=4')).body).toBe('seco');
  });

  it('begins where the reader wants, by the times in its lines', async () => {
    await pod('timed', ['main']);
    const lines = [line(60, 'old'), 'of the line before', line(5, 'new'), 'of this one'];
    write('timed', 'main', [`${lines.join('\n')}\n`]);
    expect((await log('timed', 'sinceSeconds=30')).body).toBe(`${lines[2]}\n${lines[3]}\n`);
    const sinceTime = encodeURIComponent(new Date(at(30)).toISOString());
    expect((await log('timed', `sinceTime=${sinceTime}`)).body).toBe(`${lines[2]}\n${lines[3]}\n`);
    const stamped = (await log('timed', 'timestamps=true&tailLines=1')).body as string;
    expect(stamped).toMatch(/^\d{4}-\d{2}-\d{2}T[\d:.]+Z of this one\n$/);
  });

  it('goes on while the pod runs, for those who follow', async () => {
    await pod('followed', ['main']);
    const file = write('followed', 'main', ['one\n']);
    const answer = log('followed', 'follow=true');
    appendFileSync(file, 'two\n');
    await server.call('PATCH', `${PODS}/followed/status`, { status: { phase: 'Succeeded' } });
    expect((await answer).body).toBe('one\ntwo\n');
  });

  it('ends with its run, for those who follow, though the container is started again', async () => {
    await pod('restarted', ['main']);
    const file = write('restarted', 'main', ['one\n']);
    const { text, ended } = await followFrom('restarted', 'one\n');
    appendFileSync(file, 'its end\n');
    appendFileSync(`${file}.runs`, `${'one\nits end\n'.length}\n`);
    appendFileSync(file, 'of the next run\n');
    await ended;
    expect(text.join('')).toBe('one\nits end\n');
  });

  it('that is long, and has letters of several bytes and no end, comes whole', async () => {
    await pod('long', ['main']);
    // Three bytes each, so that pieces of any even size end within one.
    const text = `${`${'€'.repeat(1000)}\n`.repeat(1000)}the last`;
    const file = write('long', 'main', [text]);
    expect((await log('long')).body === `${text}\n`).toBe(true);
    expect((await log('long', 'tailLines=2')).body).toBe(`${'€'.repeat(1000)}\nthe last\n`);
    expect((await log('long', 'limitBytes=7')).body).toBe('€€\ufffd');
    const followed = log('long', 'follow=true&tailLines=2');
    appendFileSync(file, ' line\nand another');
    await server.call('PATCH', `${PODS}/long/status`, { status: { phase: 'Succeeded' } });
    expect((await followed).body).toMatch(/\nand another\n$/);
  });

  it('is told to its end also when its file is removed', async () => {
    await pod('removed', ['main']);
    const file = write('removed', 'main', ['one\n']);
    const { text, ended } = await followFrom('removed', 'one\n');
    rmSync(file);
    await server.call('DELETE', `${PODS}/removed?gracePeriodSeconds=0`);
    await ended;
    expect([text.join(''), (await log('plain')).status]).toEqual(['one\n', 200]);
  });

  it('of several containers is asked for by name', async () => {
    await pod('several', ['core', 'agent']);
    write('several', 'agent', ['agent\n']);
    expect(await log('several')).toMatchObject({
      status: 400,
      body: { message: 'a container name must be specified for pod several, choose one of: [core agent]' },
    });
    expect((await log('several', 'container=agent')).body).toBe('agent\n');
    expect(await log('several', 'container=../agent')).toMatchObject({
      status: 400,
      body: { message: 'container ../agent is not valid for pod several' },
    });
  });

  it('that is not there yet, or no more, is said to be so', async () => {
    await pod('silent', ['main']);
    expect((await log('silent')).body.message).toContain('is waiting to start: ContainerCreating');
    write('silent', 'main', ['one\n']);
    expect((await log('silent', 'previous=true')).body.message).toBe(
      'previous terminated container "main" in pod "silent" not found',
    );
    expect((await log('absent')).status).toBe(404);
    await server.call('POST', PODS, {
      metadata: { name: 'unbound' },
      spec: { containers: [{ name: 'a', image: 'b' }] },
    });
    expect((await log('unbound')).status).toBe(204);
  });

  it.each(['tailLines=-1', 'sinceSeconds=soon', 'sinceTime=yesterday'])(
    'with %s is refused',
    async (query) => {
      await pod('refused', ['main']);
      write('refused', 'main', ['one\n']);
      expect((await log('refused', query)).status).toBe(400);
    },
  );
});

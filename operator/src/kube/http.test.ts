import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KubeStatusError, KubeTransportError } from './errors.js';
import { ConfigMaps, Leases, Secrets } from './resources.js';
import { ManualClock } from './testing/manual-clock.js';
import { configMap, listOf, reply, ScriptedServer, watchOf } from './testing/scripted-server.js';

let server: ScriptedServer;
beforeEach(async () => {
  server = await ScriptedServer.start();
});
afterEach(() => server.stop());

const key = { namespace: 'ns', name: 'a' };
const caught = async (work: Promise<unknown>): Promise<unknown> => {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
};

describe('the client', () => {
  it('sends the credentials of the kubeconfig and asks for JSON', async () => {
    server.answers(reply(200, configMap('a', 'u', '1')));
    await server.client().of(ConfigMaps).get(key);
    expect(server.seen[0]).toMatchObject({ method: 'GET', path: '/api/v1/namespaces/ns/configmaps/a' });
    expect(server.seen[0]?.headers).toMatchObject({
      authorization: 'Bearer secret',
      accept: 'application/json',
    });
  });

  it.each([
    [404, 'NotFound', 'kube.not-found'],
    [409, 'Conflict', 'kube.conflict'],
    [409, 'AlreadyExists', 'kube.already-exists'],
    [410, 'Expired', 'kube.expired'],
    [422, 'Invalid', 'kube.invalid'],
    [401, 'Unauthorized', 'kube.unauthorized'],
  ])('makes a %i %s an error with the code %s', async (code, reason, expected) => {
    const causes = [{ field: 'spec.x', message: 'Required value', reason: 'FieldValueRequired' }];
    server.answers(reply(code, { kind: 'Status', code, reason, message: 'told so', details: { causes } }));
    const error = (await caught(server.client().of(ConfigMaps).get(key))) as KubeStatusError;
    expect(error).toBeInstanceOf(KubeStatusError);
    expect(error).toMatchObject({ code: expected, reason, httpStatus: code, message: 'told so', causes });
  });

  it('waits as long as Retry-After says, then repeats', async () => {
    const clock = new ManualClock();
    server.answers(
      reply(429, { kind: 'Status', reason: 'TooManyRequests' }, { 'retry-after': '3' }),
      reply(200, configMap('a', 'u', '1')),
    );
    const result = server.client({ clock }).of(ConfigMaps).get(key);
    await server.requests(1);
    while (clock.nextIn === undefined) await new Promise((resolve) => setImmediate(resolve));
    expect(clock.nextIn).toBe(3000);
    await clock.advance(2999);
    expect(server.seen).toHaveLength(1);
    await clock.advance(1);
    expect((await result).metadata.uid).toBe('u');
  });

  it('keeps to its rate', async () => {
    const clock = new ManualClock();
    server = await ScriptedServer.start(reply(200, configMap('a', 'u', '1')));
    const maps = server.client({ clock, qps: 10, burst: 2 }).of(ConfigMaps);
    const all = Promise.all([maps.get(key), maps.get(key), maps.get(key), maps.get(key)]);
    await server.requests(2);
    await clock.advance(99);
    expect(server.seen).toHaveLength(2);
    await clock.advance(1);
    await server.requests(3);
    await clock.advance(100);
    await all;
    expect(server.seen).toHaveLength(4);
  });

  it('tells whether a write may have happened', async () => {
    server.answers((response) => response.socket?.resetAndDestroy());
    const sent = (await caught(
      server
        .client()
        .of(ConfigMaps)
        .create(configMap('a', '', '')),
    )) as KubeTransportError;
    expect(sent).toBeInstanceOf(KubeTransportError);
    expect(sent.maybeApplied).toBe(true);
    const client = server.client();
    await server.stop();
    const refused = (await caught(
      client.of(ConfigMaps).create(configMap('a', '', '')),
    )) as KubeTransportError;
    expect(refused.maybeApplied).toBe(false);
    server = await ScriptedServer.start();
  });

  it('repeats a read once when its connection turns out to be dead', async () => {
    server.answers((response) => response.socket?.resetAndDestroy(), reply(200, configMap('a', 'u', '1')));
    expect((await server.client().of(ConfigMaps).get(key)).metadata.uid).toBe('u');
  });

  it('says so when the answer is not from Kubernetes', async () => {
    server.answers((response) => response.writeHead(200).end('<html>'));
    expect(await caught(server.client().of(ConfigMaps).get(key))).toMatchObject({
      code: 'kube.malformed-answer',
    });
    server.answers(reply(200, { hello: 'world' }));
    expect(await caught(server.client().of(ConfigMaps).get(key))).toMatchObject({
      code: 'kube.malformed-answer',
    });
  });

  it('never shows what it could not read: it may be a secret', async () => {
    server.answers((response) => response.writeHead(200).end('{"data":{"apiKey":"c2VjcmV0"'));
    const whole = (await caught(server.client().of(Secrets).get(key))) as Error;
    server.answers((response) => response.writeHead(200).end('{"data":{"apiKey":"c2VjcmV0"\n'));
    const watch = server.client().of(Secrets).watch({ resourceVersion: '1' });
    const line = (await caught(watch.next())) as Error;
    for (const error of [whole, line]) {
      expect(error.message).toContain('bytes that are not JSON');
      expect(inspect(error, { depth: 9 })).not.toContain('c2VjcmV0');
    }
  });

  it('gives up on a server that does not answer', async () => {
    server.answers(() => {});
    expect(await caught(server.client().of(ConfigMaps).get(key, { timeoutMs: 100 }))).toBeInstanceOf(
      KubeTransportError,
    );
  });
});

describe('the verbs', () => {
  it('send what Kubernetes expects', async () => {
    server = await ScriptedServer.start(reply(200, configMap('a', 'u', '1')));
    const leases = server.client().of(Leases);
    const lease = { metadata: { ...key, resourceVersion: '7' }, spec: { holderIdentity: 'me' } };
    await leases.create(lease);
    await leases.replace(lease);
    await leases.mergePatchStatus(key, { spec: { holderIdentity: null } });
    await leases.apply(lease, { fieldManager: 'test' });
    await leases.delete(key, { uid: 'u', resourceVersion: '7', graceSeconds: 0 });
    const base = '/apis/coordination.k8s.io/v1/namespaces/ns/leases';
    expect(
      server.seen.map(({ method, path, headers }) => `${method} ${path} ${headers['content-type']}`),
    ).toEqual([
      `POST ${base} application/json`,
      `PUT ${base}/a application/json`,
      `PATCH ${base}/a/status application/merge-patch+json`,
      `PATCH ${base}/a application/apply-patch+yaml`,
      `DELETE ${base}/a application/json`,
    ]);
    expect(JSON.parse(server.seen[0]?.body ?? '')).toMatchObject({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
    });
    expect(JSON.parse(server.seen[2]?.body ?? '')).toEqual({ spec: { holderIdentity: null } });
    expect(server.seen[3]?.query.toString()).toBe('fieldManager=test&force=true');
    expect(JSON.parse(server.seen[4]?.body ?? '')).toEqual({
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: 'Background',
      preconditions: { uid: 'u', resourceVersion: '7' },
      gracePeriodSeconds: 0,
    });
  });

  it('give list items their apiVersion and kind back', async () => {
    server.answers(listOf('5', { metadata: { namespace: 'ns', name: 'a', uid: 'u', resourceVersion: '1' } }));
    const { items } = await server.client().of(ConfigMaps).list({ namespace: 'ns' });
    expect(items[0]).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
  });

  it('read a watch whose lines are cut anywhere', async () => {
    const line = Buffer.from(`${JSON.stringify({ type: 'ADDED', object: configMap('ä', 'u', '1') })}\n`);
    server.answers(async (response) => {
      for (const byte of line) {
        response.write(Buffer.from([byte]));
        await new Promise((resolve) => setImmediate(resolve));
      }
      response.end();
    });
    const names: string[] = [];
    for await (const event of server.client().of(ConfigMaps).watch({ resourceVersion: '1' })) {
      if (event.type === 'ADDED') names.push(event.object.metadata.name);
    }
    expect(names).toEqual(['ä']);
  });

  it('end a watch without an error when the caller does', async () => {
    server.answers(watchOf([{ type: 'ADDED', object: configMap('a', 'u', '1') }]));
    const stop = new AbortController();
    let seen = 0;
    for await (const _ of server
      .client()
      .of(ConfigMaps)
      .watch({ resourceVersion: '1', signal: stop.signal })) {
      seen += 1;
      stop.abort();
    }
    expect(seen).toBe(1);
  });
});

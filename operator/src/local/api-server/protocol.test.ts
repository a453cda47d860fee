import { readFile, stat } from 'node:fs/promises';
import { get } from 'node:https';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { CONFIG_MAPS, TestServer, WIDGETS } from './testing/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
  await server.widget('w');
});
afterAll(() => server.stop());

describe('the server', () => {
  it('answers only to its token, except when asked for its health', async () => {
    for (const authorization of ['', 'Bearer wrong', `Basic ${server.server.token}`]) {
      const answer = await server.call('GET', WIDGETS, undefined, { authorization });
      expect([answer.status, answer.body.reason]).toEqual([401, 'Unauthorized']);
    }
    expect(await server.call('GET', '/readyz', undefined, { authorization: '' })).toMatchObject({
      status: 200,
      body: 'ok',
    });
  });

  it('listens on the loopback interface only', async () => {
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((address) => address?.family === 'IPv4' && !address.internal)?.address;
    const port = Number(new URL(server.server.url).port);
    const reached = await new Promise<boolean>((resolve) => {
      // Without any other interface, another loopback address must not reach it either.
      const socket = connect({ host: outside ?? '127.0.0.2', port, timeout: 2000 });
      socket
        .once('connect', () => resolve(true))
        .once('error', () => resolve(false))
        .once('timeout', () => resolve(false));
      socket.unref();
    });
    expect(reached).toBe(false);
  });

  it('writes a kubeconfig that is for its owner alone', async () => {
    const { kubeconfigPath, url, token } = server.server;
    expect((await stat(kubeconfigPath)).mode & 0o777).toBe(0o600);
    expect(parse(await readFile(kubeconfigPath, 'utf8'))).toMatchObject({
      clusters: [{ cluster: { server: url } }],
      users: [{ user: { token } }],
    });
  });

  it('tells what it serves', async () => {
    expect((await server.call('GET', '/version')).body).toMatchObject({ major: '1' });
    expect((await server.call('GET', '/api')).body.versions).toEqual(['v1']);
    const groups = (await server.call('GET', '/apis')).body.groups.map(({ name }: { name: string }) => name);
    expect(groups).toEqual(
      expect.arrayContaining([
        'coordination.k8s.io',
        'events.k8s.io',
        'apiextensions.k8s.io',
        'test.example.com',
      ]),
    );
    const core = (await server.call('GET', '/api/v1')).body.resources.map(
      ({ name }: { name: string }) => name,
    );
    expect(core).toEqual(
      expect.arrayContaining([
        'namespaces',
        'nodes',
        'pods',
        'pods/status',
        'secrets',
        'configmaps',
        'events',
      ]),
    );
    const { resources } = (await server.call('GET', '/apis/test.example.com/v1')).body;
    expect(resources[0]).toMatchObject({
      name: 'widgets',
      kind: 'Widget',
      namespaced: true,
      shortNames: ['wd'],
      categories: ['things'],
    });
    expect((await server.call('GET', '/apis/test.example.com')).body.preferredVersion.groupVersion).toBe(
      'test.example.com/v1',
    );
  });
});

describe('what is not served is refused, with what is', () => {
  const accepted =
    'accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml';
  it.each([
    ['application/strategic-merge-patch+json', `${WIDGETS}/w`, accepted],
    ['application/strategic-merge-patch+json', `${CONFIG_MAPS}/c`, 'use `kubectl apply --server-side`'],
    ['application/json', `${WIDGETS}/w`, 'Unsupported Media Type'],
  ])('a patch of type %s of %s', async (type, path, message) => {
    const { status, body } = await server.call(
      'PATCH',
      path,
      { spec: { size: 2 } },
      { 'content-type': type },
    );
    expect([status, body.reason]).toEqual([415, 'UnsupportedMediaType']);
    expect(body.message).toContain(message);
  });

  it.each([
    ['application/yaml', 415],
    ['text/plain', 415],
    ['application/vnd.kubernetes.protobuf', 400],
  ])('a body of type %s', async (type, code) => {
    const { status } = await server.call('POST', WIDGETS, 'a: b', { 'content-type': type });
    expect(status).toBe(code);
  });

  it.each([
    ['DELETE', '/api/v1/namespaces', 405, 'the server does not allow deletecollection on namespaces'],
    ['PUT', WIDGETS, 405, 'the server does not allow PUT'],
    ['POST', `${WIDGETS}/w`, 405, 'the embedded API server accepts GET, PUT, PATCH and DELETE on an object'],
    ['GET', `${WIDGETS}/w/scale`, 404, 'serves here only status'],
    ['GET', '/api/v1/namespaces/default/pods/p/exec', 404, 'serves here only status, binding, log'],
    ['GET', `${CONFIG_MAPS}/c/status`, 404, 'no subresource here'],
    ['DELETE', `${WIDGETS}/w/status`, 405, 'GET, PUT and PATCH on status'],
    ['GET', '/apis/apps/v1/deployments', 404, 'the server could not find the requested resource'],
    ['POST', '/apis/test.example.com/v1/widgets', 400, 'POST to /namespaces/NAMESPACE/widgets'],
  ])('%s %s', async (method, path, code, message) => {
    const { status, body } = await server.call(
      method,
      path,
      method === 'POST' || method === 'PUT' ? {} : undefined,
    );
    expect([status, body.kind]).toEqual([code, 'Status']);
    expect(body.message).toContain(message);
  });

  it.each([
    '/apis/test.example.com/v9/widgets',
    '/apis/test.example.com/v1/things',
    '/nothing',
    '/openapi/v4',
  ])('the path %s', async (path) => {
    expect(await server.call('GET', path)).toMatchObject({ status: 404, body: '404 page not found\n' });
  });

  it('a body that is too large, or no JSON', async () => {
    const data = { a: 'x'.repeat(16 * 1024 * 1024) };
    const large = await server.call('POST', CONFIG_MAPS, { metadata: { name: 'large' }, data });
    expect([large.status, large.body.reason]).toEqual([413, 'RequestEntityTooLarge']);
    expect((await server.call('GET', `${CONFIG_MAPS}/large`)).status).toBe(404);
    const broken = await server.call('POST', CONFIG_MAPS, '{"metadata":');
    expect([broken.status, broken.body.reason]).toEqual([400, 'BadRequest']);
  });

  it('a request target that is no path', async () => {
    const { port } = new URL(server.server.url);
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const options = { port, host: '127.0.0.1', path: '//', ca: server.server.certificate };
      get(options, (answer) => resolve(answer.resume().statusCode)).once('error', reject);
    });
    expect(status).toBe(400);
  });

  it.each(['fieldValidation=Loose', 'dryRun=Some'])('the parameter %s', async (query) => {
    expect((await server.call('POST', `${CONFIG_MAPS}?${query}`, { metadata: { name: 'x' } })).status).toBe(
      422,
    );
  });
});

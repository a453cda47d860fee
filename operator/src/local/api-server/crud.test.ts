import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONFIG_MAPS, TestServer, WIDGETS } from './testing/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

const configMap = (name: string, data = {}) => server.call('POST', CONFIG_MAPS, { metadata: { name }, data });

describe('create', () => {
  it('gives identity, version, time and generation, and ignores the client’s own', async () => {
    const { status, body } = await server.call('POST', WIDGETS, {
      apiVersion: 'test.example.com/v1',
      kind: 'Widget',
      metadata: {
        name: 'w-create',
        uid: 'mine',
        generation: 9,
        creationTimestamp: '1999-01-01T00:00:00Z',
        deletionTimestamp: '1999-01-01T00:00:00Z',
      },
      spec: { size: 2 },
      status: { phase: 'Up' },
    });
    expect(status).toBe(201);
    expect(body.metadata).toMatchObject({ name: 'w-create', namespace: 'default', generation: 1 });
    expect(body.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(Date.parse(body.metadata.creationTimestamp)).toBeGreaterThan(Date.now() - 60_000);
    expect(body.metadata).not.toHaveProperty('deletionTimestamp');
    expect(body).not.toHaveProperty('status');
    expect((await server.call('GET', `${WIDGETS}/w-create`)).body).toEqual(body);
  });

  it('refuses a second object of the same name', async () => {
    await configMap('twice');
    const { status, body } = await configMap('twice');
    expect(status).toBe(409);
    expect(body).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'configmaps "twice" already exists',
      reason: 'AlreadyExists',
      details: { name: 'twice', kind: 'configmaps' },
      code: 409,
    });
  });

  it('makes names from generateName', async () => {
    const create = () => server.call('POST', CONFIG_MAPS, { metadata: { generateName: 'made-' } });
    const names = (await Promise.all([create(), create()])).map(({ body }) => body.metadata.name as string);
    for (const name of names) expect(name).toMatch(/^made-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    expect(names[0]).not.toBe(names[1]);
  });

  it.each([
    [{}, 422, 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required'],
    [{ name: 'Not_Valid' }, 422, 'metadata.name: Invalid value: "Not_Valid": a lowercase RFC 1123 subdomain'],
    [
      { name: 'x', namespace: 'other' },
      400,
      'the namespace of the provided object does not match the namespace sent on the request',
    ],
    [{ name: 'x', resourceVersion: '1' }, 400, 'resourceVersion should not be set on objects to be created'],
    [{ name: 'x', labels: { 'a b': 'c' } }, 422, 'metadata.labels: Invalid value: "a b"'],
    [{ name: 'x', labels: { a: 1 } }, 400, 'metadata.labels must be a map of strings'],
    [{ name: 'x', finalizers: ['/'] }, 422, 'metadata.finalizers'],
    [{ name: 'x', ownerReferences: [{ kind: 'A' }] }, 422, 'metadata.ownerReferences[0].uid'],
  ])('refuses the metadata %j', async (metadata, code, message) => {
    const { status, body } = await server.call('POST', CONFIG_MAPS, { metadata });
    expect(status).toBe(code);
    expect(body.message).toContain(message);
  });

  it('refuses objects of another kind and namespaces that are not there', async () => {
    const wrong = await server.call('POST', CONFIG_MAPS, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'x' },
    });
    expect(wrong.status).toBe(400);
    const nowhere = await server.call('POST', '/api/v1/namespaces/nowhere/configmaps', {
      metadata: { name: 'x' },
    });
    expect(nowhere.body.message).toBe('namespaces "nowhere" not found');
  });

  it('with dryRun judges without storing', async () => {
    expect(
      (await server.call('POST', `${CONFIG_MAPS}?dryRun=All`, { metadata: { name: 'dry' } })).status,
    ).toBe(201);
    expect((await server.call('GET', `${CONFIG_MAPS}/dry`)).status).toBe(404);
  });
});

describe('update', () => {
  it('on an old version is a conflict', async () => {
    const { body } = await server.widget('w-conflict');
    expect((await server.call('PUT', `${WIDGETS}/w-conflict`, { ...body, spec: { size: 2 } })).status).toBe(
      200,
    );
    const late = await server.call('PUT', `${WIDGETS}/w-conflict`, { ...body, spec: { size: 3 } });
    expect(late.status).toBe(409);
    expect(late.body).toMatchObject({
      reason: 'Conflict',
      message:
        'Operation cannot be fulfilled on widgets.test.example.com "w-conflict": the object has been modified; please apply your changes to the latest version and try again',
      details: { name: 'w-conflict', group: 'test.example.com', kind: 'widgets' },
    });
  });

  it('of a custom resource needs a version', async () => {
    await server.widget('w-unversioned');
    const { status, body } = await server.call('PUT', `${WIDGETS}/w-unversioned`, {
      metadata: { name: 'w-unversioned' },
      spec: { size: 2 },
    });
    expect(status).toBe(422);
    expect(body.message).toContain(
      'metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    );
  });

  it('of another object of the same name is a conflict', async () => {
    const { body } = await server.widget('w-uid');
    const other = { ...body, metadata: { ...body.metadata, uid: 'another' } };
    expect((await server.call('PUT', `${WIDGETS}/w-uid`, other)).body.message).toContain(
      'Precondition failed: UID in precondition: another',
    );
  });

  it('counts the generation with the spec only, and is no write when nothing changes', async () => {
    const made = (await server.widget('w-gen')).body;
    const labelled = (await server.call('PATCH', `${WIDGETS}/w-gen`, { metadata: { labels: { a: 'b' } } }))
      .body;
    expect(labelled.metadata.generation).toBe(1);
    const grown = (await server.call('PATCH', `${WIDGETS}/w-gen`, { spec: { size: 5 } })).body;
    expect(grown.metadata.generation).toBe(2);
    const up = (await server.call('PATCH', `${WIDGETS}/w-gen/status`, { status: { phase: 'Up' } })).body;
    expect(up.metadata.generation).toBe(2);
    const same = (await server.call('PATCH', `${WIDGETS}/w-gen`, { spec: { size: 5 } })).body;
    expect(same.metadata.resourceVersion).toBe(up.metadata.resourceVersion);
    expect(new Set([made, labelled, grown, up].map(({ metadata }) => metadata.resourceVersion)).size).toBe(4);
  });

  it('writes spec and status apart', async () => {
    await server.widget('w-status');
    const spec = await server.call('PATCH', `${WIDGETS}/w-status`, {
      spec: { size: 7 },
      status: { phase: 'Up' },
    });
    expect(spec.body).not.toHaveProperty('status');
    const status = await server.call('PATCH', `${WIDGETS}/w-status/status`, {
      metadata: { labels: { x: 'y' } },
      spec: { size: 9 },
      status: { phase: 'Down' },
    });
    expect(status.body).toMatchObject({ spec: { size: 7 }, status: { phase: 'Down' } });
    expect(status.body.metadata).not.toHaveProperty('labels');
    const put = await server.call('PUT', `${WIDGETS}/w-status/status`, {
      ...status.body,
      status: { phase: 'Up' },
    });
    expect(put.body.status).toEqual({ phase: 'Up' });
    const wrong = await server.call('PATCH', `${WIDGETS}/w-status/status`, { status: { phase: 'Sideways' } });
    expect(wrong.body.message).toContain(
      'status.phase: Unsupported value: "Sideways": supported values: "Up", "Down"',
    );
  });
});

describe('a merge patch', () => {
  it('adds, replaces whole lists, and removes with null', async () => {
    await server.widget('w-patch', { tags: ['a', 'b'], owner: 'me', limits: { x: 1, y: 2 } });
    const { body } = await server.call('PATCH', `${WIDGETS}/w-patch`, {
      spec: { tags: ['c'], low: '1', limits: { x: null } },
    });
    expect(body.spec).toEqual({
      size: 1,
      color: 'red',
      tags: ['c'],
      owner: 'me',
      low: '1',
      limits: { y: 2 },
    });
  });

  it('with a version is only for that version', async () => {
    const { body } = await server.widget('w-patch-version');
    const patch = { metadata: { resourceVersion: body.metadata.resourceVersion }, spec: { size: 2 } };
    expect((await server.call('PATCH', `${WIDGETS}/w-patch-version`, patch)).status).toBe(200);
    expect(
      (await server.call('PATCH', `${WIDGETS}/w-patch-version`, { ...patch, spec: { size: 3 } })).status,
    ).toBe(409);
  });

  it('cannot change name, uid or times', async () => {
    const { body } = await server.widget('w-patch-meta');
    const renamed = await server.call('PATCH', `${WIDGETS}/w-patch-meta`, { metadata: { name: 'w-other' } });
    expect(renamed.status).toBe(400);
    const touched = await server.call('PATCH', `${WIDGETS}/w-patch-meta`, {
      metadata: { creationTimestamp: null, generation: 99 },
    });
    expect(touched.body.metadata).toMatchObject({
      creationTimestamp: body.metadata.creationTimestamp,
      generation: 1,
    });
  });
});

describe('Secrets', () => {
  it('are stored base64 and take stringData', async () => {
    const path = '/api/v1/namespaces/default/secrets';
    const { body } = await server.call('POST', path, {
      metadata: { name: 's' },
      data: { a: 'QQ==' },
      stringData: { b: 'B' },
    });
    expect(body).toMatchObject({ type: 'Opaque', data: { a: 'QQ==', b: 'Qg==' } });
    expect(body).not.toHaveProperty('stringData');
    const wrong = await server.call('PATCH', `${path}/s`, { data: { a: 'not base64!' } });
    expect(wrong.status).toBe(422);
    expect(wrong.body.message).not.toContain('not base64!');
  });
});

describe('Leases', () => {
  it('take times with six digits and no others', async () => {
    const path = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
    const lease = (renewTime: string) => ({ metadata: { name: 'l' }, spec: { renewTime } });
    const three = await server.call('POST', path, lease('2026-01-02T03:04:05.678Z'));
    expect(three.status).toBe(400);
    expect(three.body.message).toContain(
      'parsing time "2026-01-02T03:04:05.678Z" as "2006-01-02T15:04:05.000000Z07:00"',
    );
    expect((await server.call('POST', path, lease('2026-01-02T03:04:05.678000Z'))).status).toBe(201);
  });
});

describe('Events', () => {
  it('are one thing under two APIs', async () => {
    const written = await server.call('POST', '/apis/events.k8s.io/v1/namespaces/default/events', {
      metadata: { name: 'e' },
      eventTime: '2026-01-02T03:04:05.678000Z',
      type: 'Normal',
      reason: 'Told',
      action: 'Telling',
      note: 'a note',
      regarding: { kind: 'Widget', name: 'w' },
      reportingController: 'x.y/z',
      reportingInstance: 'me',
    });
    expect(written.status).toBe(201);
    const core = (await server.call('GET', '/api/v1/namespaces/default/events/e')).body;
    expect(core).toMatchObject({
      apiVersion: 'v1',
      message: 'a note',
      involvedObject: { kind: 'Widget', name: 'w' },
      reportingComponent: 'x.y/z',
    });
    expect(core).not.toHaveProperty('note');
    const selected = await server.call(
      'GET',
      '/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Dw',
    );
    expect(selected.body.items).toHaveLength(1);
    const incomplete = await server.call('POST', '/apis/events.k8s.io/v1/namespaces/default/events', {
      metadata: { name: 'f' },
      eventTime: '2026-01-02T03:04:05.678000Z',
      type: 'Odd',
    });
    expect(incomplete.body.message).toContain('reason: Required value');
  });
});

describe('Pods', () => {
  const pods = '/api/v1/namespaces/default/pods';
  const spec = { containers: [{ name: 'main', image: 'test/x' }] };

  it('get their defaults, are bound once, and keep their spec', async () => {
    const made = await server.call('POST', pods, { metadata: { name: 'p' }, spec });
    expect(made.body).toMatchObject({
      spec: { restartPolicy: 'Always', terminationGracePeriodSeconds: 30 },
      status: { phase: 'Pending' },
    });
    const binding = { metadata: { name: 'p' }, target: { kind: 'Node', name: 'n' } };
    expect((await server.call('POST', `${pods}/p/binding`, binding)).status).toBe(201);
    expect((await server.call('GET', `${pods}/p`)).body.spec.nodeName).toBe('n');
    expect((await server.call('POST', `${pods}/p/binding`, binding)).status).toBe(409);
    const changed = await server.call('PATCH', `${pods}/p`, { spec: { hostNetwork: true } });
    expect(changed.status).toBe(422);
    expect(changed.body.message).toContain('pod updates may not change fields other than');
    const image = await server.call('PATCH', `${pods}/p`, {
      spec: { containers: [{ name: 'main', image: 'test/y' }] },
    });
    expect(image.status).toBe(200);
  });

  it('that run are deleted by whoever runs them', async () => {
    await server.call('POST', pods, { metadata: { name: 'graceful' }, spec });
    await server.call('POST', `${pods}/graceful/binding`, { target: { name: 'n' } });
    const marked = await server.call('DELETE', `${pods}/graceful`);
    expect(marked.body.metadata).toMatchObject({ deletionGracePeriodSeconds: 30 });
    expect((await server.call('GET', `${pods}/graceful`)).status).toBe(200);
    const ended = await server.call('DELETE', `${pods}/graceful`, { gracePeriodSeconds: 0 });
    expect(ended.body).toMatchObject({ kind: 'Pod', metadata: { name: 'graceful' } });
    expect((await server.call('GET', `${pods}/graceful`)).status).toBe(404);
  });

  it('that nobody runs go at once', async () => {
    await server.call('POST', pods, { metadata: { name: 'unbound' }, spec });
    expect((await server.call('DELETE', `${pods}/unbound`)).body.kind).toBe('Pod');
    expect((await server.call('GET', `${pods}/unbound`)).status).toBe(404);
  });

  it.each([
    [{ containers: [] }, 'spec.containers: Required value'],
    [
      {
        containers: [
          { name: 'a', image: 'x' },
          { name: 'a', image: 'x' },
        ],
      },
      'spec.containers[1].name: Duplicate value: "a"',
    ],
    [{ containers: [{ name: 'a' }] }, 'spec.containers[0].image: Required value'],
    [
      { containers: [{ name: 'a', image: 'x', volumeMounts: [{ name: 'v', mountPath: '/v' }] }] },
      'spec.containers[0].volumeMounts[0].name: Not found: "v"',
    ],
    [{ restartPolicy: 'Sometimes', ...spec }, 'spec.restartPolicy: Unsupported value: "Sometimes"'],
  ])('with the spec %j are refused', async (wrong, message) => {
    const { status, body } = await server.call('POST', pods, { metadata: { name: 'wrong' }, spec: wrong });
    expect(status).toBe(422);
    expect(body.message).toContain(message);
  });
});

describe('an apply', () => {
  const apply = (name: string, metadata: Record<string, unknown>) =>
    server.call(
      'PATCH',
      `${WIDGETS}/${name}?fieldManager=tester`,
      { apiVersion: 'test.example.com/v1', kind: 'Widget', metadata, spec: { size: 1 } },
      { 'content-type': 'application/apply-patch+yaml' },
    );

  it('to another name than that of its object is refused', async () => {
    const { status, body } = await apply('w-apply', { name: 'w-other' });
    expect([status, body.message]).toEqual([
      400,
      'the name of the object (w-other) does not match the name on the URL (w-apply)',
    ]);
  });

  it('to an object that is no more does not make another one of its name', async () => {
    const { body } = await apply('w-apply', { name: 'w-apply' });
    const { uid } = body.metadata;
    expect((await apply('w-apply', { uid })).status).toBe(200);
    await server.call('DELETE', `${WIDGETS}/w-apply`);
    // The message is that of createNewObject in k8s.io/apiserver/pkg/endpoints/handlers/patch.go.
    expect(await apply('w-apply', { uid })).toMatchObject({
      status: 409,
      body: {
        reason: 'Conflict',
        message: `Operation cannot be fulfilled on widgets.test.example.com "w-apply": uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
      },
    });
  });
});

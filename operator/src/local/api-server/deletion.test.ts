import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../kube/testing/eventually.js';
import { CONFIG_MAPS, TestServer, WIDGETS } from './testing/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

const statusOf = async (path: string) => (await server.call('GET', path)).status;
const untilGone = (path: string) =>
  eventually(
    () => statusOf(path),
    (status) => status === 404,
  );

async function owned(name: string, ...owners: { metadata: { name: string; uid: string } }[]) {
  const ownerReferences = owners.map(({ metadata }) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name: metadata.name,
    uid: metadata.uid,
  }));
  return (await server.call('POST', CONFIG_MAPS, { metadata: { name, ownerReferences } })).body;
}

describe('deletion', () => {
  it('answers with what was deleted', async () => {
    const { body } = await server.widget('w-plain');
    const answer = await server.call('DELETE', `${WIDGETS}/w-plain`);
    expect(answer.body).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: { name: 'w-plain', group: 'test.example.com', kind: 'widgets', uid: body.metadata.uid },
    });
    expect((await server.call('DELETE', `${WIDGETS}/w-plain`)).body.message).toBe(
      'widgets.test.example.com "w-plain" not found',
    );
  });

  it('waits for finalizers, lets no new ones in, and comes with the last one gone', async () => {
    const finalizers = ['test.example.com/one', 'test.example.com/two'];
    await server.call('POST', WIDGETS, { metadata: { name: 'w-final', finalizers }, spec: { size: 1 } });
    const path = `${WIDGETS}/w-final`;
    const marked = (await server.call('DELETE', path)).body;
    expect(marked.metadata).toMatchObject({ deletionGracePeriodSeconds: 0, generation: 2, finalizers });
    expect(marked.metadata.deletionTimestamp).toBeDefined();
    const again = (await server.call('DELETE', path)).body;
    expect(again.metadata.resourceVersion).toBe(marked.metadata.resourceVersion);
    const added = await server.call('PATCH', path, {
      metadata: { finalizers: [...finalizers, 'test.example.com/three'] },
    });
    expect(added.status).toBe(422);
    expect(added.body.message).toContain(
      'no new finalizers can be added if the object is being deleted, found new finalizers []string{"test.example.com/three"}',
    );
    expect(
      (await server.call('PATCH', path, { metadata: { finalizers: ['test.example.com/two'] } })).status,
    ).toBe(200);
    expect(await statusOf(path)).toBe(200);
    expect((await server.call('PATCH', path, { metadata: { finalizers: null } })).status).toBe(200);
    expect(await statusOf(path)).toBe(404);
  });

  it('keeps to its preconditions', async () => {
    const { body } = await server.widget('w-pre');
    const wrong = await server.call('DELETE', `${WIDGETS}/w-pre`, { preconditions: { uid: 'other' } });
    expect([wrong.status, wrong.body.reason]).toEqual([409, 'Conflict']);
    const stale = await server.call('DELETE', `${WIDGETS}/w-pre`, {
      preconditions: { resourceVersion: '1' },
    });
    expect(stale.status).toBe(409);
    const { uid, resourceVersion } = body.metadata;
    expect(
      (await server.call('DELETE', `${WIDGETS}/w-pre`, { preconditions: { uid, resourceVersion } })).status,
    ).toBe(200);
  });

  it('of all that a selector finds takes these and no others', async () => {
    for (const [name, tier] of [
      ['w-gold-1', 'gold'],
      ['w-gold-2', 'gold'],
      ['w-silver', 'silver'],
    ])
      await server.call('POST', WIDGETS, { metadata: { name, labels: { tier } }, spec: { size: 1 } });
    const { body } = await server.call('DELETE', `${WIDGETS}?labelSelector=tier%3Dgold`);
    expect(body.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)).toEqual([
      'w-gold-1',
      'w-gold-2',
    ]);
    expect(await statusOf(`${WIDGETS}/w-gold-1`)).toBe(404);
    expect(await statusOf(`${WIDGETS}/w-silver`)).toBe(200);
  });
});

describe('garbage collection', () => {
  it('takes what belonged to it, and what belonged to that', async () => {
    const parent = await owned('parent');
    const child = await owned('child', parent);
    await owned('grandchild', child);
    await server.call('DELETE', `${CONFIG_MAPS}/parent`);
    await untilGone(`${CONFIG_MAPS}/grandchild`);
    expect(await statusOf(`${CONFIG_MAPS}/child`)).toBe(404);
  });

  it('in the foreground waits for what blocks its owner', async () => {
    const parent = await owned('front');
    const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'front', uid: parent.metadata.uid };
    const blocking = { ...reference, blockOwnerDeletion: true };
    await server.call('POST', CONFIG_MAPS, {
      metadata: { name: 'slow', ownerReferences: [blocking], finalizers: ['test.example.com/slow'] },
    });
    await server.call('DELETE', `${CONFIG_MAPS}/front`, { propagationPolicy: 'Foreground' });
    const slow = await eventually(
      async () => (await server.call('GET', `${CONFIG_MAPS}/slow`)).body,
      (body) => body.metadata.deletionTimestamp !== undefined,
      (body) => JSON.stringify(body),
    );
    expect(slow.metadata.finalizers).toContain('test.example.com/slow');
    expect((await server.call('GET', `${CONFIG_MAPS}/front`)).body.metadata.finalizers).toEqual([
      'foregroundDeletion',
    ]);
    await server.call('PATCH', `${CONFIG_MAPS}/slow`, { metadata: { finalizers: null } });
    await untilGone(`${CONFIG_MAPS}/front`);
  });

  it('leaves orphans where that is asked for', async () => {
    const parent = await owned('lost');
    await owned('orphan', parent);
    await server.call('DELETE', `${CONFIG_MAPS}/lost`, { propagationPolicy: 'Orphan' });
    await untilGone(`${CONFIG_MAPS}/lost`);
    expect((await server.call('GET', `${CONFIG_MAPS}/orphan`)).body.metadata).not.toHaveProperty(
      'ownerReferences',
    );
  });

  it('spares what has another owner, without the reference to the lost one', async () => {
    const [one, two] = [await owned('one'), await owned('two')];
    await owned('shared', one, two);
    await server.call('DELETE', `${CONFIG_MAPS}/one`);
    const left = await eventually(
      async () => (await server.call('GET', `${CONFIG_MAPS}/shared`)).body.metadata.ownerReferences,
      (references) => references.length === 1,
    );
    expect(left[0].name).toBe('two');
  });

  it('waits with its owner’s finalizers, and respects its own', async () => {
    const parent = (
      await server.call('POST', CONFIG_MAPS, {
        metadata: { name: 'held', finalizers: ['test.example.com/x'] },
      })
    ).body;
    const references = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'held', uid: parent.metadata.uid }];
    await server.call('POST', CONFIG_MAPS, {
      metadata: { name: 'holder', ownerReferences: references, finalizers: ['test.example.com/y'] },
    });
    await server.call('DELETE', `${CONFIG_MAPS}/held`);
    expect((await server.call('GET', `${CONFIG_MAPS}/holder`)).body.metadata).not.toHaveProperty(
      'deletionTimestamp',
    );
    await server.call('PATCH', `${CONFIG_MAPS}/held`, { metadata: { finalizers: [] } });
    await eventually(
      async () => (await server.call('GET', `${CONFIG_MAPS}/holder`)).body.metadata.deletionTimestamp,
      (time) => time !== undefined,
    );
    await server.call('PATCH', `${CONFIG_MAPS}/holder`, { metadata: { finalizers: [] } });
    expect(await statusOf(`${CONFIG_MAPS}/holder`)).toBe(404);
  });

  it('takes a child that came after its owner went', async () => {
    const parent = await owned('gone');
    await server.call('DELETE', `${CONFIG_MAPS}/gone`);
    await owned('late', parent);
    await untilGone(`${CONFIG_MAPS}/late`);
  });

  it('does not take an owner of the same name for the owner', async () => {
    const parent = await owned('again');
    await owned('mine', parent);
    await server.call('DELETE', `${CONFIG_MAPS}/again`);
    await owned('again');
    await untilGone(`${CONFIG_MAPS}/mine`);
    expect(await statusOf(`${CONFIG_MAPS}/again`)).toBe(200);
  });
});

describe('a namespace', () => {
  it('goes after all that is in it, and takes nothing in meanwhile', async () => {
    await server.call('POST', '/api/v1/namespaces', { metadata: { name: 'desk' } });
    const inside = '/apis/test.example.com/v1/namespaces/desk/widgets';
    await server.call('POST', inside, {
      metadata: { name: 'w', finalizers: ['test.example.com/x'] },
      spec: { size: 1 },
    });
    await server.call('POST', '/api/v1/namespaces/desk/configmaps', { metadata: { name: 'c' } });
    await server.call('DELETE', '/api/v1/namespaces/desk');
    await untilGone('/api/v1/namespaces/desk/configmaps/c');
    const namespace = (await server.call('GET', '/api/v1/namespaces/desk')).body;
    expect(namespace.status.phase).toBe('Terminating');
    const late = await server.call('POST', '/api/v1/namespaces/desk/configmaps', {
      metadata: { name: 'late' },
    });
    expect([late.status, late.body.message]).toEqual([
      403,
      'configmaps "late" is forbidden: unable to create new content in namespace desk because it is being terminated',
    ]);
    await server.call('PATCH', `${inside}/w`, { metadata: { finalizers: null } });
    await untilGone('/api/v1/namespaces/desk');
  });

  it('called default stays', async () => {
    const { status, body } = await server.call('DELETE', '/api/v1/namespaces/default');
    expect([status, body.message]).toEqual([
      403,
      'namespaces "default" is forbidden: this namespace may not be deleted',
    ]);
  });
});

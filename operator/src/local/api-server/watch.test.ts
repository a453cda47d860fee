import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import * as present from './present.js';
import { Storage } from './storage.js';
import { CONFIG_MAPS, TestServer, WIDGETS } from './testing/server.js';

vi.mock('./present.js', { spy: true });
const TABLE = 'application/json;as=Table;g=meta.k8s.io;v=v1';
let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.stop());

const create = (name: string, labels = {}) =>
  server.call('POST', CONFIG_MAPS, { metadata: { name, labels } });
const brief = ({ type, object }: { type: string; object: { metadata: { name: string } } }) =>
  `${type} ${object.metadata.name}`;

describe('a watch', () => {
  it('tells what happened after a version, then what happens', async () => {
    const { metadata } = (await server.call('GET', CONFIG_MAPS)).body;
    await create('w1');
    const watch = await server.watch(CONFIG_MAPS, `resourceVersion=${metadata.resourceVersion}`);
    await create('w2');
    await server.call('PATCH', `${CONFIG_MAPS}/w1`, { data: { a: 'b' } });
    await server.call('DELETE', `${CONFIG_MAPS}/w1`);
    const events = await watch.take(4);
    expect(events.map(brief)).toEqual(['ADDED w1', 'ADDED w2', 'MODIFIED w1', 'DELETED w1']);
    const versions = events.map(({ object }) => Number(object.metadata.resourceVersion));
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
    expect(new Set(versions).size).toBe(4);
    watch.stop();
  });

  it('without a version begins with what there is', async () => {
    await create('there');
    const watch = await server.watch(CONFIG_MAPS, 'fieldSelector=metadata.name%3Dthere');
    expect((await watch.take(1)).map(brief)).toEqual(['ADDED there']);
    watch.stop();
  });

  it('with selectors tells coming into and going out of the selection', async () => {
    const { metadata } = (await server.call('GET', CONFIG_MAPS)).body;
    const watch = await server.watch(
      CONFIG_MAPS,
      `resourceVersion=${metadata.resourceVersion}&labelSelector=on%3Dyes`,
    );
    await create('sel');
    await server.call('PATCH', `${CONFIG_MAPS}/sel`, { metadata: { labels: { on: 'yes' } } });
    await server.call('PATCH', `${CONFIG_MAPS}/sel`, { data: { a: 'b' } });
    await server.call('PATCH', `${CONFIG_MAPS}/sel`, { metadata: { labels: { on: 'no' } } });
    await server.call('DELETE', `${CONFIG_MAPS}/sel`);
    await create('sel2', { on: 'yes' });
    expect((await watch.take(4)).map(brief)).toEqual([
      'ADDED sel',
      'MODIFIED sel',
      'DELETED sel',
      'ADDED sel2',
    ]);
    watch.stop();
  });

  it('of one namespace does not tell of others, of all it does', async () => {
    await server.call('POST', '/api/v1/namespaces', { metadata: { name: 'elsewhere' } });
    const { metadata } = (await server.call('GET', CONFIG_MAPS)).body;
    const from = `resourceVersion=${metadata.resourceVersion}`;
    const [one, all] = await Promise.all([
      server.watch(CONFIG_MAPS, from),
      server.watch('/api/v1/configmaps', from),
    ]);
    await server.call('POST', '/api/v1/namespaces/elsewhere/configmaps', { metadata: { name: 'far' } });
    await create('near');
    expect((await one.take(1)).map(brief)).toEqual(['ADDED near']);
    expect((await all.take(2)).map(brief)).toEqual(['ADDED far', 'ADDED near']);
    one.stop();
    all.stop();
  });

  it('ends after timeoutSeconds, with a bookmark at the newest version if wanted', async () => {
    const { metadata } = (await server.call('GET', WIDGETS)).body;
    const watch = await server.watch(
      WIDGETS,
      `resourceVersion=${metadata.resourceVersion}&timeoutSeconds=1&allowWatchBookmarks=true`,
    );
    const { body } = await create('bookmarked');
    const events = await watch.rest();
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      type: 'BOOKMARK',
      object: { kind: 'Widget', metadata: { resourceVersion: body.metadata.resourceVersion } },
    });
  });

  it('from before the history, or before a restart, is told to list again', async () => {
    const events = await (await server.watch(CONFIG_MAPS, 'resourceVersion=1')).rest();
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      type: 'ERROR',
      object: { kind: 'Status', code: 410, reason: 'Expired' },
    });
  });

  it('from a version that is yet to come is told so', async () => {
    const events = await (await server.watch(CONFIG_MAPS, 'resourceVersion=9000000000000000')).rest();
    expect(events[0]?.object).toMatchObject({
      code: 504,
      details: { causes: [{ reason: 'ResourceVersionTooLarge' }] },
    });
  });

  it.each([
    ['timeoutSeconds=soon', 400],
    ['resourceVersion=abc', 400],
    ['fieldSelector=spec.x%3D1', 400],
    ['sendInitialEvents=true', 422],
    ['resourceVersionMatch=NotOlderThan', 422],
    ['sendInitialEvents=true&resourceVersionMatch=NotOlderThan', 400],
  ])('with %s is refused', async (query, code) => {
    expect((await server.call('GET', `${CONFIG_MAPS}?watch=1&${query}`)).status).toBe(code);
  });
});

describe('a list', () => {
  it('is selected by labels and fields', async () => {
    for (const [name, labels] of [
      ['l1', { a: '1', b: '1' }],
      ['l2', { a: '2' }],
      ['l3', { b: '1' }],
    ] as const)
      await create(name, labels);
    const names = async (selector: string) => {
      const { body } = await server.call(
        'GET',
        `${CONFIG_MAPS}?labelSelector=${encodeURIComponent(selector)}`,
      );
      return body.items
        .map((item: { metadata: { name: string } }) => item.metadata.name)
        .filter((name: string) => /^l\d$/.test(name));
    };
    expect(await names('a=1')).toEqual(['l1']);
    expect(await names('a==1,b=1')).toEqual(['l1']);
    expect(await names('a!=1')).toEqual(['l2', 'l3']);
    expect(await names('a in (1, 2)')).toEqual(['l1', 'l2']);
    expect(await names('a notin (1),b')).toEqual(['l3']);
    expect(await names('!a,b')).toEqual(['l3']);
    expect(
      (await server.call('GET', `${CONFIG_MAPS}?labelSelector=${encodeURIComponent('a>1')}`)).status,
    ).toBe(400);
    await server.widget('w-green', { color: 'green' });
    await server.widget('w-red');
    const green = await server.call('GET', `${WIDGETS}?fieldSelector=spec.color%3Dgreen`);
    expect(green.body.items).toHaveLength(1);
  });

  it('in pages shows one moment, however long the reader takes', async () => {
    for (const name of ['p1', 'p2', 'p3']) await create(name, { page: 'd' });
    const query = 'labelSelector=page%3Dd&limit=2';
    const first = await server.call('GET', `${CONFIG_MAPS}?${query}`);
    // Of a selection nobody says how much more there is.
    expect(first.body.metadata).not.toHaveProperty('remainingItemCount');
    await server.call('DELETE', `${CONFIG_MAPS}/p3`);
    await create('p4', { page: 'd' });
    const token = first.body.metadata.continue;
    const second = await server.call('GET', `${CONFIG_MAPS}?${query}&continue=${token}`);
    expect(second.body.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual([
      'p3',
    ]);
    expect(second.body.metadata.resourceVersion).toBe(first.body.metadata.resourceVersion);
    expect(second.body.metadata).not.toHaveProperty('continue');
    const again = await server.call('GET', `${CONFIG_MAPS}?${query}&continue=${token}`);
    expect([again.status, again.body.reason]).toEqual([410, 'Expired']);
  });
});

describe('a watch that is not as others', () => {
  it('stays open also for longer than timers count', async () => {
    const watch = await server.watch(
      CONFIG_MAPS,
      'fieldSelector=metadata.name%3Dlong&timeoutSeconds=9999999',
    );
    await create('long');
    expect((await watch.take(1)).map(brief)).toEqual(['ADDED long']);
    watch.stop();
  });

  it('begins with all there is, however much that is', async () => {
    const data = { a: 'x'.repeat(1_000_000) };
    const expected: string[] = [];
    for (let index = 10; index < 30; index += 1) {
      const metadata = { name: `big-${index}`, labels: { size: 'big' } };
      await server.call('POST', CONFIG_MAPS, { metadata, data });
      expected.push(`ADDED ${metadata.name}`);
    }
    const watch = await server.watch(CONFIG_MAPS, 'labelSelector=size%3Dbig');
    expect((await watch.take(expected.length)).map(brief)).toEqual(expected);
    watch.stop();
  });

  it('and fails, neither hinders the writer nor takes the event from others', async () => {
    const presenting = vi.spyOn(present, 'presentEvent').mockImplementation((_, { as }, __, object) => {
      if (as === 'Table') throw new Error('no such table');
      return object;
    });
    const query = 'fieldSelector=metadata.name%3Dtold';
    const failing = await server.watch(CONFIG_MAPS, query, { accept: TABLE });
    const other = await server.watch(CONFIG_MAPS, query);
    expect((await create('told')).status).toBe(201);
    expect((await other.take(1)).map(brief)).toEqual(['ADDED told']);
    await expect(failing.take(1)).rejects.toThrow();
    other.stop();
    presenting.mockRestore();
  });
});

describe('the history', () => {
  it('of a kind reaches back to a list from before its first object', () => {
    const storage = new Storage();
    const listedAt = storage.version;
    storage.put('other', { apiVersion: 'v1', kind: 'Y', metadata: { name: 'y' } });
    expect(storage.since('c', listedAt)).toEqual([]);
    storage.put('c', { apiVersion: 'v1', kind: 'X', metadata: { name: 'x' } });
    expect(storage.since('c', listedAt)).toHaveLength(1);
  });

  it('is bounded, and says when it no longer reaches back', () => {
    const storage = new Storage(undefined, 10);
    const begin = storage.version;
    const put = (index: number) =>
      storage.put('c', { apiVersion: 'v1', kind: 'X', metadata: { name: `n${index}` } });
    for (let index = 0; index < 15; index++) put(index);
    expect(storage.since('c', begin)).toHaveLength(15);
    for (let index = 15; index < 40; index++) put(index);
    expect(() => storage.since('c', begin)).toThrow('too old resource version');
    expect(storage.since('c', storage.version - 3).map(({ key }) => key)).toEqual(['n37', 'n38', 'n39']);
  });
});

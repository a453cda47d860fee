import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Reflector } from './reflector.js';
import { type ConfigMap, ConfigMaps } from './resources.js';
import { eventually } from './testing/eventually.js';
import { ManualClock, settle } from './testing/manual-clock.js';
import { configMap, listOf, reply, ScriptedServer, watchOf } from './testing/scripted-server.js';

const bookmark = (resourceVersion: string) => ({
  type: 'BOOKMARK',
  object: { kind: 'ConfigMap', metadata: { resourceVersion } },
});
const error = (code: number, reason: string) => ({
  type: 'ERROR',
  object: { kind: 'Status', code, reason, message: reason },
});

let server: ScriptedServer;
let clock: ManualClock;
let reflector: Reflector<ConfigMap>;
let told: string[];
let errors: string[];

beforeEach(async () => {
  server = await ScriptedServer.start(watchOf([]));
  clock = new ManualClock();
  told = [];
  errors = [];
});

afterEach(async () => {
  await reflector.stop();
  await server.stop();
});

function start(options: { relistMs?: number; pageSize?: number } = {}): void {
  // Requests are real, so the client keeps the real clock; what the reflector waits for is on ours.
  reflector = new Reflector(server.client().of(ConfigMaps), {
    clock,
    onError: (problem, doing) => errors.push(`${doing}: ${(problem as Error).message}`),
    ...options,
  });
  reflector.onChange(({ type, object }) =>
    told.push(`${type} ${object.metadata.name}/${object.metadata.uid}@${object.metadata.resourceVersion}`),
  );
  reflector.start();
}

const untilTold = (count: number) =>
  eventually(
    () => told,
    (list) => list.length >= count,
  );

/** Fires what waits until so many requests have come. */
async function advanceUntil(requests: number): Promise<void> {
  await eventually(
    async () => {
      await clock.advance(clock.nextIn !== undefined && clock.nextIn < 60_000 ? clock.nextIn : 0);
      return server.seen.length;
    },
    (count) => count >= requests,
  );
}

describe('a reflector', () => {
  it('lists, then watches from the version of the list, with bookmarks and a limit', async () => {
    server.answers(
      listOf('5', configMap('a', 'u1', '3')),
      watchOf([{ type: 'ADDED', object: configMap('b', 'u2', '6') }]),
    );
    start();
    await reflector.synced;
    await untilTold(2);
    expect(told).toEqual(['added a/u1@3', 'added b/u2@6']);
    const query = server.seen[1]?.query;
    expect(query?.get('resourceVersion')).toBe('5');
    expect(query?.get('allowWatchBookmarks')).toBe('true');
    expect(Number(query?.get('timeoutSeconds'))).toBeGreaterThanOrEqual(240);
    expect(Number(query?.get('timeoutSeconds'))).toBeLessThanOrEqual(480);
  });

  it('goes on after a reset from the last version it saw, a bookmark included', async () => {
    server.answers(
      listOf('5'),
      watchOf([{ type: 'ADDED', object: configMap('a', 'u1', '6') }, bookmark('9')], 'reset'),
    );
    start();
    await untilTold(1);
    await advanceUntil(3);
    expect(server.seen[2]?.query.get('watch')).toBe('true');
    expect(server.seen[2]?.query.get('resourceVersion')).toBe('9');
    expect(errors[0]).toContain('watch: GET /api/v1/configmaps: the stream broke');
  });

  it('does not hammer a server that closes each watch at once', async () => {
    server.answers(listOf('5'), watchOf([], 'close'), watchOf([], 'close'), watchOf([], 'close'));
    start();
    for (const [requests, atLeast] of [
      [2, 100],
      [3, 200],
      [4, 400],
    ] as const) {
      await server.requests(requests);
      await eventually(
        () => clock.nextIn ?? 0,
        (wait) => wait > 0 && wait < 60_000,
      );
      expect(server.seen).toHaveLength(requests);
      expect(clock.nextIn).toBeGreaterThanOrEqual(atLeast);
      await clock.advance(clock.nextIn ?? 0);
    }
    await server.requests(5);
    expect(server.seen.slice(1).every(({ query }) => query.get('watch') === 'true')).toBe(true);
  });

  it('lists again after 410, and tells only of what changed', async () => {
    server.answers(
      listOf('5', configMap('a', 'u1', '3'), configMap('b', 'u2', '4')),
      watchOf([error(410, 'Expired')], 'close'),
      listOf('9', configMap('b', 'u2', '4'), configMap('c', 'u3', '8')),
    );
    start();
    await untilTold(2);
    await advanceUntil(4);
    await untilTold(4);
    expect(told.slice(2)).toEqual(['deleted a/u1@3', 'added c/u3@8']);
    expect(server.seen[3]?.query.get('resourceVersion')).toBe('9');
  });

  it('takes a 500 within the stream as a broken watch, not as silence', async () => {
    server.answers(
      listOf('5'),
      watchOf([error(500, 'InternalError')]),
      watchOf([{ type: 'ADDED', object: configMap('a', 'u1', '6') }]),
    );
    start();
    await server.requests(2);
    await advanceUntil(3);
    await untilTold(1);
    expect(server.seen[2]?.query.get('watch')).toBe('true');
    expect(errors).toEqual(['watch: InternalError']);
  });

  it('tells a duplicate event once', async () => {
    const event = { type: 'ADDED', object: configMap('a', 'u1', '6') };
    server.answers(
      listOf('5', configMap('a', 'u1', '6')),
      watchOf([event, event, { type: 'MODIFIED', object: configMap('a', 'u1', '7') }]),
    );
    start();
    await untilTold(2);
    expect(told).toEqual(['added a/u1@6', 'updated a/u1@7']);
  });

  it('tells of an object deleted and made again while it was not looking as both', async () => {
    server.answers(
      listOf('5', configMap('a', 'u1', '3')),
      watchOf([error(410, 'Gone')]),
      listOf('9', configMap('a', 'u2', '8')),
    );
    start();
    await untilTold(1);
    await advanceUntil(3);
    await untilTold(3);
    expect(told.slice(1)).toEqual(['deleted a/u1@3', 'added a/u2@8']);
  });

  it('ignores the late end of an object whose name is in use again', async () => {
    server.answers(
      listOf('5', configMap('a', 'u2', '4')),
      watchOf([
        { type: 'DELETED', object: configMap('a', 'u1', '6') },
        { type: 'MODIFIED', object: configMap('a', 'u2', '7') },
      ]),
    );
    start();
    await untilTold(2);
    expect(told).toEqual(['added a/u2@4', 'updated a/u2@7']);
  });

  it('finds by its regular list what the watch did not tell', async () => {
    server.answers(
      listOf('5', configMap('a', 'u1', '3')),
      watchOf([]),
      listOf('9', configMap('a', 'u1', '8', { key: 'new' })),
    );
    start({ relistMs: 60_000 });
    await untilTold(1);
    await server.requests(2);
    // The watch of 360 s is overdue by 15 s, is cut, and the list is long due.
    await clock.advance(375_000);
    await advanceUntil(3);
    await untilTold(2);
    expect(told[1]).toBe('updated a/u1@8');
    expect(errors[0]).toContain('outlived its limit');
  });

  it('reads long lists page by page, and in one piece when the pages expired', async () => {
    const page = (more: string, ...items: object[]) =>
      reply(200, { metadata: { resourceVersion: '5', continue: more }, items });
    server.answers(
      page('next', configMap('a', 'u1', '1')),
      reply(410, { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' }),
      listOf('7', configMap('a', 'u1', '1'), configMap('b', 'u2', '6')),
    );
    start({ pageSize: 1 });
    await reflector.synced;
    expect(told).toEqual(['added a/u1@1', 'added b/u2@6']);
    expect(server.seen[1]?.query.get('continue')).toBe('next');
    expect(server.seen[2]?.query.has('limit')).toBe(false);
  });

  it('survives a handler that throws', async () => {
    server.answers(listOf('5', configMap('a', 'u1', '3'), configMap('b', 'u2', '4')), watchOf([]));
    start();
    reflector.onChange(() => {
      throw new Error('no');
    });
    await untilTold(2);
    expect(errors).toEqual(['handler: no', 'handler: no']);
  });

  it('backs off while the server cannot list, then syncs', async () => {
    server.answers(
      reply(503, {}),
      reply(403, { kind: 'Status', code: 403, reason: 'Forbidden', message: 'not allowed' }),
      listOf('5'),
    );
    start();
    await advanceUntil(3);
    await reflector.synced;
    expect(reflector.hasSynced).toBe(true);
    expect(errors).toEqual(['list: HTTP 503: {}', 'list: not allowed']);
  });

  it('measures the silence of the server', async () => {
    server.answers(listOf('5'), watchOf([]));
    start();
    await server.requests(2);
    await settle();
    await clock.advance(42_000);
    expect(reflector.silenceSeconds).toBe(42);
  });

  it('gives objects that nobody can change', async () => {
    server.answers(listOf('5', configMap('a', 'u1', '3', { key: 'value' })), watchOf([]));
    start();
    await reflector.synced;
    const object = reflector.store.get('ns/a');
    expect(Object.isFrozen(object?.data)).toBe(true);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiServer, startApiServer } from '../local/api-server/index.js';
import { KubeClient } from './client.js';
import { Controller } from './controller.js';
import { Reflector } from './reflector.js';
import { ConfigMaps } from './resources.js';
import { eventually } from './testing/eventually.js';

let server: ApiServer;
let client: KubeClient;
beforeAll(async () => {
  server = await startApiServer();
  client = KubeClient.load({ kubeconfig: server.kubeconfigPath, qps: 1000, burst: 1000 });
});
afterAll(async () => {
  await client.close();
  await server.stop();
});

describe('a controller', () => {
  it('reconciles after the first list, on every change, and again after a failure', async () => {
    const maps = client.of(ConfigMaps);
    await maps.create({ metadata: { namespace: 'default', name: 'a' }, data: { parent: 'p' } });
    const reflector = new Reflector(maps, { namespace: 'default' });
    const worked: string[] = [];
    let failures = 0;
    const controller = new Controller({
      name: 'test',
      reconcile: async (key) => {
        worked.push(`${key} ${reflector.hasSynced}`);
        if (key === 'default/bad' && failures++ < 2) throw new Error('not yet');
        return undefined;
      },
    });
    controller
      .watch(reflector)
      .watch(reflector, ({ data }) => (data?.['parent'] === undefined ? [] : [`parent-${data['parent']}`]));
    controller.start();
    reflector.start();
    await eventually(
      () => worked.length,
      (count) => count >= 2,
    );
    expect(new Set(worked)).toEqual(new Set(['default/a true', 'parent-p true']));

    await maps.create({ metadata: { namespace: 'default', name: 'bad' } });
    await eventually(
      () => worked.filter((key) => key === 'default/bad true').length,
      (count) => count === 3,
    );

    // Moved from one parent to another: both are told.
    worked.length = 0;
    await maps.mergePatch({ namespace: 'default', name: 'a' }, { data: { parent: 'q' } });
    await eventually(
      () => worked,
      (list) => list.includes('parent-p true') && list.includes('parent-q true'),
    );
    await controller.stop();
    await reflector.stop();
  });

  it('can be stopped before the first list came', async () => {
    const reflector = new Reflector(client.of(ConfigMaps));
    const controller = new Controller({ name: 'test', reconcile: async () => undefined });
    controller.watch(reflector).start();
    await controller.stop();
    expect(reflector.hasSynced).toBe(false);
  });

  it('comes back after the time that the reconcile asked for', async () => {
    let runs = 0;
    const controller = new Controller({
      name: 'test',
      reconcile: async () => (++runs < 3 ? { requeueAfterMs: 1 } : undefined),
    });
    controller.start();
    controller.queue.add('x');
    await eventually(
      () => runs,
      (count) => count === 3,
    );
    await controller.stop();
  });
});

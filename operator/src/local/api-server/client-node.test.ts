import {
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  type V1ConfigMap,
  Watch,
} from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../kube/testing/eventually.js';
import { TestServer } from './testing/server.js';

/** An independent judge: the official client, unmodified, finds what it expects of an API server. */
let server: TestServer;
let config: KubeConfig;
beforeAll(async () => {
  server = await TestServer.start();
  config = new KubeConfig();
  config.loadFromFile(server.server.kubeconfigPath);
});
afterAll(() => server.stop());

describe('the official client', () => {
  it('creates, reads, patches, lists and deletes', async () => {
    const core = config.makeApiClient(CoreV1Api);
    const namespace = 'default';
    const made = await core.createNamespacedConfigMap({
      namespace,
      body: { metadata: { name: 'a' }, data: { x: '1' } },
    });
    expect(made.metadata?.creationTimestamp).toBeInstanceOf(Date);
    await core.patchNamespacedConfigMap(
      { name: 'a', namespace, body: { data: { y: '2' } } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    );
    const { items } = await core.listNamespacedConfigMap({ namespace });
    expect(items.map(({ data }) => data)).toEqual([{ x: '1', y: '2' }]);
    await core.deleteNamespacedConfigMap({ name: 'a', namespace });
    await expect(core.readNamespacedConfigMap({ name: 'a', namespace })).rejects.toMatchObject({ code: 404 });
  });

  it('handles custom resources and their status', async () => {
    const custom = config.makeApiClient(CustomObjectsApi);
    const where = { group: 'test.example.com', version: 'v1', namespace: 'default', plural: 'widgets' };
    const body = {
      apiVersion: 'test.example.com/v1',
      kind: 'Widget',
      metadata: { name: 'w' },
      spec: { size: 1 },
    };
    await custom.createNamespacedCustomObject({ ...where, body });
    const patched = await custom.patchNamespacedCustomObjectStatus(
      { ...where, name: 'w', body: { status: { phase: 'Up' } } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    );
    expect(patched).toMatchObject({ spec: { size: 1, color: 'red' }, status: { phase: 'Up' } });
    await expect(
      custom.createNamespacedCustomObject({ ...where, body: { ...body, metadata: { name: 'v' } } }),
    ).rejects.toMatchObject({ code: 422 });
  });

  it('watches and informs', async () => {
    const core = config.makeApiClient(CoreV1Api);
    const list = () => core.listNamespacedConfigMap({ namespace: 'default' });
    const informer = makeInformer<V1ConfigMap>(config, '/api/v1/namespaces/default/configmaps', list);
    const told: string[] = [];
    for (const event of ['add', 'update', 'delete'] as const)
      informer.on(event, ({ metadata }) => told.push(`${event} ${metadata?.name}`));
    await informer.start();
    await core.createNamespacedConfigMap({ namespace: 'default', body: { metadata: { name: 'informed' } } });
    await eventually(
      () => told.length,
      (count) => count === 1,
    );
    await core.deleteNamespacedConfigMap({ namespace: 'default', name: 'informed' });
    await eventually(
      () => told,
      (list) => list.length === 2,
    );
    expect(told).toEqual(['add informed', 'delete informed']);
    await informer.stop();

    const seen: string[] = [];
    const ended = Promise.withResolvers<void>();
    await new Watch(config).watch(
      '/api/v1/namespaces',
      { timeoutSeconds: 1 },
      (phase, object) => seen.push(`${phase} ${object.metadata.name}`),
      () => ended.resolve(),
    );
    await ended.promise;
    expect(seen).toEqual(
      ['default', 'kube-node-lease', 'kube-public', 'kube-system'].map((name) => `ADDED ${name}`),
    );
  });
});

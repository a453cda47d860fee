import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Events } from '../../kube/events.js';
import { ConfigMaps, Nodes, Secrets } from '../../kube/resources.js';
import { eventually } from '../../kube/testing/eventually.js';
import { isAlive, TestCluster } from './testing/cluster.js';
import { FOREVER, isReady, PRINT, pidOf, printed, statusOf } from './testing/pods.js';

let cluster: TestCluster | undefined;
afterEach(async () => {
  await cluster?.stop();
  cluster = undefined;
});

describe('a pod', () => {
  it('is bound, run and reported as ready', async () => {
    cluster = await TestCluster.start({ print: PRINT });
    await cluster.run('a', { containers: [{ name: 'main', image: 'test/print:1.2' }] });
    const pod = await cluster.until('a', isReady);
    expect(pod.spec?.nodeName).toBe('local');
    expect(pod.status?.phase).toBe('Running');
    expect(pod.status?.podIP).toMatch(/^127\.\d+\.\d+\.\d+$/);
    expect(isAlive(pidOf(pod))).toBe(true);
    const node = await cluster.client.of(Nodes).get({ name: 'local' });
    expect(node.status?.conditions?.[0]).toMatchObject({ type: 'Ready', status: 'True' });
  });

  it('gets its environment from values, the downward API, Secrets and ConfigMaps, and nothing of ours', async () => {
    process.env['SECRET_OF_THE_HOST'] = 'x';
    cluster = await TestCluster.start({ print: PRINT });
    await cluster.client
      .of(Secrets)
      .create({ metadata: { name: 's', namespace: 'default' }, stringData: { key: 'hidden' } });
    await cluster.client
      .of(ConfigMaps)
      .create({ metadata: { name: 'c', namespace: 'default' }, data: { key: 'shown' } });
    await cluster.run(
      'a',
      {
        serviceAccountName: 'robot',
        containers: [
          {
            name: 'main',
            image: 'test/print',
            args: ['--greeting=$(GREETING)', '$$(GREETING)', '$(UNKNOWN)'],
            env: [
              { name: 'NAME', value: 'you' },
              { name: 'GREETING', value: 'hello $(NAME)' },
              { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
              { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
              { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
              { name: 'APP', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
              { name: 'FROM_SECRET', valueFrom: { secretKeyRef: { name: 's', key: 'key' } } },
              { name: 'FROM_MAP', valueFrom: { configMapKeyRef: { name: 'c', key: 'key' } } },
              { name: 'MAYBE', valueFrom: { configMapKeyRef: { name: 'none', key: 'key', optional: true } } },
            ],
          },
        ],
      },
      { labels: { app: 'tester' } },
    );
    const pod = await cluster.until('a', isReady);
    const { args, env } = await printed(cluster, 'a');
    expect(args).toEqual(['--greeting=hello you', '$(GREETING)', '$(UNKNOWN)']);
    expect(env).toMatchObject({
      POD_NAME: 'a',
      POD_IP: pod.status?.podIP,
      NODE: 'local',
      APP: 'tester',
      FROM_SECRET: 'hidden',
      FROM_MAP: 'shown',
      KUBECONFIG: cluster.server.kubeconfigPath,
    });
    expect(env).not.toHaveProperty('MAYBE');
    expect(env).not.toHaveProperty('SECRET_OF_THE_HOST');
    delete process.env['SECRET_OF_THE_HOST'];
  });

  it('sees Secrets and ConfigMaps as private files that follow their objects, and hostPaths shared with other pods', async () => {
    const shared = { name: 'shared', hostPath: { path: '/run/shared/x', type: 'DirectoryOrCreate' } };
    cluster = await TestCluster.start({
      print: PRINT,
      write: `import { writeFileSync } from 'node:fs'; writeFileSync(process.argv[2], 'from writer'); ${FOREVER}`,
    });
    await cluster.client
      .of(Secrets)
      .create({ metadata: { name: 's', namespace: 'default' }, stringData: { apiKey: 'k1' } });
    await cluster.run('writer', {
      volumes: [shared],
      containers: [
        {
          name: 'main',
          image: 'test/write',
          args: ['/data/file'],
          volumeMounts: [{ name: 'shared', mountPath: '/data' }],
        },
      ],
    });
    await cluster.run('a', {
      volumes: [shared, { name: 'keys', secret: { secretName: 's' } }, { name: 'scratch', emptyDir: {} }],
      containers: [
        {
          name: 'main',
          image: 'test/print',
          args: [
            '/etc/app/keys/one/apiKey',
            '/etc/app/keys',
            '--dir=/in/file',
            '/etc/other',
            'unix:/in/sock',
            '/scratch',
          ],
          env: [{ name: 'FILE', value: '/in/file' }],
          volumeMounts: [
            { name: 'keys', mountPath: '/etc/app/keys/one', readOnly: true },
            { name: 'shared', mountPath: '/in' },
            { name: 'scratch', mountPath: '/scratch/' },
          ],
        },
      ],
    });
    await cluster.until('writer', isReady);
    await cluster.until('a', isReady);
    const { args, env } = await printed(cluster, 'a');
    const [key = '', keys = '', flag = '', other = '', socket = '', scratch = ''] = args;
    expect(await readFile(key, 'utf8')).toBe('k1');
    expect((await stat(key)).mode & 0o777).toBe(0o600);
    expect(await readFile(join(keys, 'one', 'apiKey'), 'utf8')).toBe('k1');
    expect(other).toBe('/etc/other');
    expect(socket).toBe(`unix:${join(cluster.node.root, 'host/run/shared/x/sock')}`);
    expect((await stat(scratch)).isDirectory()).toBe(true);
    const file = flag.replace('--dir=', '');
    expect(env['FILE']).toBe(file);
    expect(
      await eventually(
        () => readFile(file, 'utf8').catch(() => ''),
        (text) => text !== '',
      ),
    ).toBe('from writer');

    await cluster.client
      .of(Secrets)
      .mergePatch({ namespace: 'default', name: 's' }, { stringData: { apiKey: 'k2' } });
    expect(
      await eventually(
        () => readFile(key, 'utf8'),
        (text) => text === 'k2',
      ),
    ).toBe('k2');
  });

  it('waits for a Secret that comes later', async () => {
    cluster = await TestCluster.start({ print: PRINT });
    await cluster.run('a', {
      volumes: [{ name: 'keys', secret: { secretName: 'late' } }],
      containers: [
        { name: 'main', image: 'test/print', volumeMounts: [{ name: 'keys', mountPath: '/keys' }] },
      ],
    });
    const recorded = await eventually(
      async () => (await cluster?.client.of(Events).list({ namespace: 'default' }))?.items ?? [],
      (events) => events.some(({ reason }) => reason === 'FailedMount'),
    );
    expect(recorded.find(({ reason }) => reason === 'FailedMount')?.note).toBe(
      'volume "keys": secret "late" not found',
    );
    await cluster.client
      .of(Secrets)
      .create({ metadata: { name: 'late', namespace: 'default' }, stringData: { a: 'b' } });
    await cluster.until('a', isReady);
  });

  it('that asks for what a process cannot be is failed with the reason', async () => {
    cluster = await TestCluster.start({ print: PRINT });
    await cluster.run('a', { containers: [{ name: 'main', image: 'test/print', command: ['/bin/x'] }] });
    const pod = await cluster.until('a', ({ status }) => status?.phase === 'Failed');
    expect(pod.status?.reason).toBe('UnsupportedByProcessNode');
    expect(pod.status?.message).toContain('container main: command');
  });

  it('of an unknown image waits and says which images there are', async () => {
    cluster = await TestCluster.start({ print: PRINT });
    await cluster.run('a', { containers: [{ name: 'main', image: 'test/other:1' }] });
    const pod = await cluster.until('a', (it) => statusOf(it)?.state.waiting?.message !== undefined);
    expect(statusOf(pod)?.state.waiting?.message).toBe(
      'image "test/other:1" is not one that this node can run; it knows test/print',
    );
  });

  it('that no node matches stays pending', async () => {
    cluster = await TestCluster.start({ print: PRINT });
    await cluster.run('a', {
      nodeSelector: { zone: 'tokyo' },
      containers: [{ name: 'main', image: 'test/print' }],
    });
    const pod = await cluster.until('a', ({ status }) => (status?.conditions?.length ?? 0) > 0);
    expect(pod.spec?.nodeName).toBeUndefined();
    expect(pod.status?.conditions?.[0]).toMatchObject({
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
    });
  });

  it('with hostNetwork has the address of the host, others each their own', async () => {
    cluster = await TestCluster.start({ print: PRINT });
    const containers = [{ name: 'main', image: 'test/print' }];
    await cluster.run('host', { hostNetwork: true, containers });
    await cluster.run('a', { containers });
    await cluster.run('b', { containers });
    const [host, a, b] = await Promise.all(['host', 'a', 'b'].map((name) => cluster?.until(name, isReady)));
    expect(host?.status?.podIP).toBe('127.0.0.1');
    if (process.platform === 'linux') expect(a?.status?.podIP).not.toBe(b?.status?.podIP);
  });
});

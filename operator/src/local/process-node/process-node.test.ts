import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../kube/clock.js';
import { Events } from '../../kube/events.js';
import type { Pod } from '../../kube/pod.js';
import { ConfigMaps, Nodes, Secrets } from '../../kube/resources.js';
import { eventually } from '../../kube/testing/eventually.js';
import { ManualClock } from '../../kube/testing/manual-clock.js';
import { isAlive, TestCluster } from './testing/cluster.js';

const FOREVER = 'setInterval(() => {}, 1000);';
const PRINT = `console.log(JSON.stringify({ args: process.argv.slice(2), env: process.env, cwd: process.cwd(), pid: process.pid })); ${FOREVER}`;
const STUBBORN = `process.on('SIGTERM', () => console.log('ignored')); console.log('up', process.pid); ${FOREVER}`;

let cluster: TestCluster | undefined;
afterEach(async () => {
  await cluster?.stop();
  cluster = undefined;
});

const isReady = (pod: Pod) =>
  pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
const statusOf = (pod: Pod, name = 'main') =>
  [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find(
    (status) => status.name === name,
  );
const pidOf = (pod: Pod, name = 'main') =>
  Number(statusOf(pod, name)?.containerID?.replace('process://', ''));

interface Printed {
  readonly args: string[];
  readonly env: Record<string, string>;
  readonly cwd: string;
  readonly pid: number;
}

async function printed(pod: string, container = 'main'): Promise<Printed> {
  const log = await cluster?.untilLogged(pod, container, '\n');
  return JSON.parse((log ?? '').split('\n')[0] ?? '') as Printed;
}

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
    const { args, env } = await printed('a');
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
    const { args, env } = await printed('a');
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

describe('restarts', () => {
  it('come at once after the first kill -9, counted and with the exit code', async () => {
    cluster = await TestCluster.start({ print: PRINT });
    await cluster.run('a', { containers: [{ name: 'main', image: 'test/print' }] });
    const pid = pidOf(await cluster.until('a', isReady));
    process.kill(pid, 'SIGKILL');
    const pod = await cluster.until('a', (it) => statusOf(it)?.restartCount === 1 && isReady(it));
    expect(statusOf(pod)?.lastState.terminated).toMatchObject({ exitCode: 137, signal: 9, reason: 'Error' });
    expect(pidOf(pod)).not.toBe(pid);
    expect(isAlive(pid)).toBe(false);
  });

  it('of a crashing container come after 0, 10, 20, 40 s', async () => {
    const clock = new ManualClock();
    cluster = await TestCluster.start({ crash: 'process.exit(3);' }, { clock });
    await cluster.run('a', { containers: [{ name: 'main', image: 'test/crash' }] });
    for (const [restarts, wait] of [
      [1, 10],
      [2, 20],
      [3, 40],
    ] as const) {
      const pod = await cluster.until(
        'a',
        (it) =>
          statusOf(it)?.restartCount === restarts &&
          statusOf(it)?.state.waiting?.reason === 'CrashLoopBackOff',
      );
      expect(statusOf(pod)?.state.waiting?.message).toBe(
        `back-off ${wait}s restarting failed container=main`,
      );
      expect(statusOf(pod)?.lastState.terminated?.exitCode).toBe(3);
      expect(isReady(pod)).toBe(false);
      await clock.advance(wait * 1000);
    }
  });

  it('never wait longer than the node was told', async () => {
    const clock = new ManualClock();
    cluster = await TestCluster.start({ crash: 'process.exit(3);' }, { clock, maxBackoffMs: 1_000 });
    await cluster.run('a', { containers: [{ name: 'main', image: 'test/crash' }] });
    for (const restarts of [1, 2, 3]) {
      const pod = await cluster.until(
        'a',
        (it) =>
          statusOf(it)?.restartCount === restarts &&
          statusOf(it)?.state.waiting?.reason === 'CrashLoopBackOff',
      );
      expect(statusOf(pod)?.state.waiting?.message).toBe('back-off 1s restarting failed container=main');
      await clock.advance(1_000);
    }
  });

  it('take the children of the process with it', async () => {
    const parent = `import { spawn } from 'node:child_process';
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
      console.log('child', child.pid); ${FOREVER}`;
    cluster = await TestCluster.start({ parent });
    await cluster.run('a', { containers: [{ name: 'main', image: 'test/parent' }] });
    const log = await cluster.untilLogged('a', 'main', '\n');
    const child = Number(/child (\d+)/.exec(log)?.[1]);
    expect(isAlive(child)).toBe(true);
    process.kill(pidOf(await cluster.until('a', isReady)), 'SIGKILL');
    await eventually(
      () => isAlive(child),
      (alive) => !alive,
    );
  });

  it('follow the restart policy', async () => {
    cluster = await TestCluster.start({ exit: 'process.exit(Number(process.argv[2]));' });
    const containers = (code: string) => [{ name: 'main', image: 'test/exit', args: [code] }];
    await cluster.run('fine', { restartPolicy: 'OnFailure', containers: containers('0') });
    await cluster.run('bad', { restartPolicy: 'Never', containers: containers('4') });
    expect(
      statusOf(await cluster.until('fine', ({ status }) => status?.phase === 'Succeeded'))?.restartCount,
    ).toBe(0);
    expect(
      statusOf(await cluster.until('bad', ({ status }) => status?.phase === 'Failed'))?.state.terminated
        ?.exitCode,
    ).toBe(4);
  });
});

describe('init containers', () => {
  it('run in order, sidecars among them go on, and the main containers come last', async () => {
    const once = `console.log('ran'); if (process.argv[2]) process.exit(1);`;
    cluster = await TestCluster.start({ once, print: PRINT });
    await cluster.run('a', {
      initContainers: [
        { name: 'first', image: 'test/once' },
        { name: 'agent', image: 'test/print', restartPolicy: 'Always' },
      ],
      containers: [{ name: 'main', image: 'test/print' }],
    });
    const pod = await cluster.until('a', isReady);
    expect(statusOf(pod, 'first')?.state.terminated?.exitCode).toBe(0);
    expect(statusOf(pod, 'agent')?.state.running).toBeDefined();
    const agent = pidOf(pod, 'agent');
    process.kill(agent, 'SIGKILL');
    const after = await cluster.until('a', (it) => statusOf(it, 'agent')?.restartCount === 1);
    expect(statusOf(after)?.restartCount).toBe(0);
  });

  it('that fail keep the pod from starting', async () => {
    cluster = await TestCluster.start({ fail: 'process.exit(1);', print: PRINT });
    await cluster.run('a', {
      restartPolicy: 'Never',
      initContainers: [{ name: 'first', image: 'test/fail' }],
      containers: [{ name: 'main', image: 'test/print' }],
    });
    const pod = await cluster.until('a', ({ status }) => status?.phase === 'Failed');
    expect(statusOf(pod)?.state.waiting).toBeDefined();
  });
});

describe('probes', () => {
  const server = `import { createServer } from 'node:http';
    let ready = false; let healthy = true;
    createServer((request, response) => {
      if (request.url === '/become-ready') ready = true;
      if (request.url === '/become-sick') healthy = false;
      response.writeHead(request.url === '/readyz' && !ready ? 503 : request.url === '/healthz' && !healthy ? 500 : 200).end();
    }).listen(Number(process.env.PORT), process.env.POD_IP, () => console.log('listening'));`;
  const spec = {
    containers: [
      {
        name: 'main',
        image: 'test/server',
        ports: [{ name: 'http', containerPort: 9464 }],
        env: [
          { name: 'PORT', value: '9464' },
          { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
        ],
        readinessProbe: { httpGet: { path: '/readyz', port: 'http' }, periodSeconds: 1 },
        livenessProbe: {
          httpGet: { path: '/healthz', port: 9464 },
          periodSeconds: 1,
          failureThreshold: 2,
          initialDelaySeconds: 1,
        },
      },
    ],
  };

  it('make a pod ready, and restart a container that is not alive', async () => {
    cluster = await TestCluster.start({ server });
    await cluster.run('a', spec);
    await cluster.untilLogged('a', 'main', 'listening');
    const before = await cluster.until('a', ({ status }) => status?.phase === 'Running');
    expect(isReady(before)).toBe(false);
    const base = `http://${before.status?.podIP}:9464`;
    await fetch(`${base}/become-ready`);
    await cluster.until('a', isReady);
    await fetch(`${base}/become-sick`);
    const after = await cluster.until('a', (pod) => statusOf(pod)?.restartCount === 1);
    expect(statusOf(after)?.lastState.terminated?.exitCode).toBe(143);
  });
});

describe('deletion', () => {
  it('sends SIGTERM, waits for the process, and removes object, processes and files', async () => {
    const polite = `process.on('SIGTERM', () => { console.log('bye'); process.exit(0); }); console.log('up'); ${FOREVER}`;
    cluster = await TestCluster.start({ polite });
    const made = await cluster.run('a', { containers: [{ name: 'main', image: 'test/polite' }] });
    await cluster.untilLogged('a', 'main', 'up');
    const pid = pidOf(await cluster.until('a', isReady));
    await cluster.pods.delete({ namespace: 'default', name: 'a' });
    await cluster.untilGone('a');
    expect(isAlive(pid)).toBe(false);
    expect(await cluster.log('a', 'main')).toBe('up\nbye\n');
    await eventually(
      () => readdir(join(cluster?.node.root ?? '', 'pods')),
      (uids) => !uids.includes(made.metadata.uid),
    );
  });

  it('kills what is still there after the grace period', async () => {
    cluster = await TestCluster.start({ stubborn: STUBBORN });
    await cluster.run('a', {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'main', image: 'test/stubborn' }],
    });
    await cluster.untilLogged('a', 'main', 'up');
    const pid = pidOf(await cluster.until('a', isReady));
    await cluster.pods.delete({ namespace: 'default', name: 'a' });
    await cluster.untilLogged('a', 'main', 'ignored');
    await cluster.untilGone('a');
    expect(isAlive(pid)).toBe(false);
  });

  it('without grace kills at once', async () => {
    cluster = await TestCluster.start({ stubborn: STUBBORN });
    await cluster.run('a', { containers: [{ name: 'main', image: 'test/stubborn' }] });
    await cluster.untilLogged('a', 'main', 'up');
    const pid = pidOf(await cluster.until('a', isReady));
    await cluster.pods.delete({ namespace: 'default', name: 'a' }, { graceSeconds: 0 });
    await eventually(
      () => isAlive(pid),
      (alive) => !alive,
    );
  });

  it('ends sidecars after the main containers', async () => {
    const polite = `process.on('SIGTERM', () => setTimeout(() => { console.log(Date.now()); process.exit(0); }, 50)); console.log('up'); ${FOREVER}`;
    cluster = await TestCluster.start({ polite });
    await cluster.run('a', {
      initContainers: [{ name: 'agent', image: 'test/polite', restartPolicy: 'Always' }],
      containers: [{ name: 'main', image: 'test/polite' }],
    });
    await cluster.until('a', isReady);
    await cluster.untilLogged('a', 'main', 'up');
    await cluster.untilLogged('a', 'agent', 'up');
    await cluster.pods.delete({ namespace: 'default', name: 'a' });
    await cluster.untilGone('a');
    const endOf = async (container: string) => Number((await cluster?.log('a', container))?.split('\n')[1]);
    expect(await endOf('agent')).toBeGreaterThanOrEqual((await endOf('main')) + 50);
  });

  it('of an object and a new one of the same name are kept apart', async () => {
    cluster = await TestCluster.start({ print: PRINT });
    await cluster.run('a', { containers: [{ name: 'main', image: 'test/print' }] });
    const first = await cluster.until('a', isReady);
    await cluster.pods.delete({ namespace: 'default', name: 'a' }, { graceSeconds: 0 });
    await cluster.run('a', { containers: [{ name: 'main', image: 'test/print' }] });
    const second = await cluster.until('a', isReady);
    expect(second.metadata.uid).not.toBe(first.metadata.uid);
    await eventually(
      () => isAlive(pidOf(first)),
      (alive) => !alive,
    );
    expect(isAlive(pidOf(second))).toBe(true);
  });
});

describe('the end of the node', () => {
  it('ends pods in the order that the caller wants', async () => {
    const polite = `process.on('SIGTERM', () => setTimeout(() => { console.log(Date.now()); process.exit(0); }, 50)); console.log('up'); ${FOREVER}`;
    const drainOrder = (pods: readonly Pod[]) => [
      pods.filter(({ metadata }) => metadata?.name === 'strategy'),
      pods.filter(({ metadata }) => metadata?.name === 'core'),
    ];
    cluster = await TestCluster.start({ polite }, { drainOrder });
    const containers = [{ name: 'main', image: 'test/polite' }];
    await cluster.run('core', { containers });
    await cluster.run('strategy', { containers });
    await cluster.untilLogged('core', 'main', 'up');
    await cluster.untilLogged('strategy', 'main', 'up');
    await cluster.node.stop();
    const endOf = async (pod: string) => Number((await cluster?.log(pod, 'main'))?.split('\n')[1]);
    expect(await endOf('core')).toBeGreaterThanOrEqual((await endOf('strategy')) + 50);
  });

  it('tells how every pod ended before it is over', async () => {
    cluster = await TestCluster.start({ print: PRINT });
    await cluster.run('a', { containers: [{ name: 'main', image: 'test/print' }] });
    await cluster.until('a', isReady);
    await cluster.node.stop();
    const pod = await cluster.pods.get({ namespace: 'default', name: 'a' });
    expect(statusOf(pod)?.state?.terminated?.exitCode).toBe(143);
  });

  it('leaves no timer behind, also when the API server ended before it', async () => {
    let waiting = 0;
    const clock: Clock = {
      ...systemClock,
      after: (ms, fn) => {
        let open = true;
        const over = () => {
          if (open) waiting -= 1;
          open = false;
        };
        waiting += 1;
        const cancel = systemClock.after(ms, () => {
          over();
          fn();
        });
        return () => {
          over();
          cancel();
        };
      },
    };
    cluster = await TestCluster.start({ print: PRINT }, { clock });
    await cluster.run('a', { containers: [{ name: 'main', image: 'test/print' }] });
    const pid = pidOf(await cluster.until('a', isReady));
    await cluster.server.stop();
    await cluster.node.stop();
    expect(isAlive(pid)).toBe(false);
    expect(waiting).toBe(0);
  });

  it('by kill -9 leaves no process behind', async () => {
    cluster = await TestCluster.start({ print: PRINT });
    const root = join(cluster.directory, 'm');
    await mkdir(root);
    const module = pathToFileURL(join(import.meta.dirname, 'index.ts')).href;
    const script = `import { startProcessNode } from ${JSON.stringify(module)};
      await startProcessNode({ kubeconfigPath: ${JSON.stringify(cluster.server.kubeconfigPath)}, name: 'second', root: ${JSON.stringify(root)},
        labels: { pool: 'second' }, images: { 'test/print': [process.execPath, ${JSON.stringify(join(cluster.directory, 'print.mjs'))}] } });`;
    const child = spawn(process.execPath, ['--import', RESOLVE_TS, '--input-type=module', '-e', script], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    await cluster.run('a', {
      nodeSelector: { pool: 'second' },
      containers: [{ name: 'main', image: 'test/print' }],
    });
    const pid = pidOf(await cluster.until('a', isReady));
    expect(isAlive(pid)).toBe(true);
    child.kill('SIGKILL');
    await eventually(
      () => isAlive(pid),
      (alive) => !alive,
    );
  });
});

/** Lets plain Node import our sources, whose imports name the compiled files. */
const RESOLVE_TS = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  registerHooks({
    resolve(specifier, context, next) {
      try { return next(specifier, context); } catch (error) {
        if (!specifier.endsWith('.js')) throw error;
        return next(specifier.slice(0, -3) + '.ts', context);
      }
    },
  });
`)}`;

import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../../kube/testing/eventually.js';
import { ManualClock } from '../../kube/testing/manual-clock.js';
import { isAlive, TestCluster } from './testing/cluster.js';
import { FOREVER, isReady, PRINT, pidOf, statusOf } from './testing/pods.js';

let cluster: TestCluster | undefined;
afterEach(async () => {
  await cluster?.stop();
  cluster = undefined;
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

  it('come when a container takes more memory than its limit, and say so', async () => {
    const leak = `const kept = []; setInterval(() => kept.push(Buffer.alloc(8 << 20, 1)), 20);`;
    cluster = await TestCluster.start({ leak });
    const resources = { limits: { memory: '100Mi' } };
    await cluster.run('a', { containers: [{ name: 'main', image: 'test/leak', resources }] });
    const pod = await cluster.until('a', (it) => (statusOf(it)?.restartCount ?? 0) >= 1);
    const { terminated } = statusOf(pod)?.lastState ?? {};
    expect(terminated).toMatchObject({ exitCode: 137, signal: 9, reason: 'OOMKilled' });
    expect(terminated?.message).toMatch(/^it took \d{6,} KiB of memory, its limit is 100Mi$/);
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

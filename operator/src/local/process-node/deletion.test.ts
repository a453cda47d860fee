import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../../kube/testing/eventually.js';
import { isAlive, TestCluster } from './testing/cluster.js';
import { FOREVER, isReady, PRINT, pidOf, STUBBORN } from './testing/pods.js';

let cluster: TestCluster | undefined;
afterEach(async () => {
  await cluster?.stop();
  cluster = undefined;
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

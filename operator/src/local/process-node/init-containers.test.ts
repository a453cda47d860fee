import { afterEach, describe, expect, it } from 'vitest';
import { TestCluster } from './testing/cluster.js';
import { isReady, PRINT, pidOf, statusOf } from './testing/pods.js';

let cluster: TestCluster | undefined;
afterEach(async () => {
  await cluster?.stop();
  cluster = undefined;
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

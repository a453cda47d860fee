import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../kube/clock.js';
import type { Pod } from '../../kube/pod.js';
import { eventually } from '../../kube/testing/eventually.js';
import { isAlive, TestCluster } from './testing/cluster.js';
import { FOREVER, isReady, PRINT, pidOf, statusOf } from './testing/pods.js';

let cluster: TestCluster | undefined;
afterEach(async () => {
  await cluster?.stop();
  cluster = undefined;
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

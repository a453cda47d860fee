import { expect, test } from 'vitest';
import type { Pod } from '../../kube/index.js';
import { RestartWatch } from './restarts.js';

const pod = (restartCount: number, exitCode?: number) =>
  ({
    metadata: { name: 'core-core', uid: 'u' },
    status: {
      containerStatuses: [
        { name: 'core', restartCount, lastState: exitCode === undefined ? {} : { terminated: { exitCode } } },
      ],
    },
  }) as Pod;

test('each restart is told once, with the exit code before it', () => {
  const watch = new RestartWatch();
  expect(watch.news([pod(0)])).toEqual([]);
  expect(watch.news([pod(1, 137)])).toEqual(['core-core: container core ended with exit code 137; start 2']);
  expect(watch.news([pod(1, 137)])).toEqual([]);
});

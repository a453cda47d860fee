// Small programs that stand for containers, and what is read of their pods; for tests.

import type { Pod } from '../../../kube/pod.js';
import type { TestCluster } from './cluster.js';

export const FOREVER = 'setInterval(() => {}, 1000);';
export const PRINT = `console.log(JSON.stringify({ args: process.argv.slice(2), env: process.env, cwd: process.cwd(), pid: process.pid })); ${FOREVER}`;
export const STUBBORN = `process.on('SIGTERM', () => console.log('ignored')); console.log('up', process.pid); ${FOREVER}`;

export const isReady = (pod: Pod) =>
  pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
export const statusOf = (pod: Pod, name = 'main') =>
  [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find(
    (status) => status.name === name,
  );
export const pidOf = (pod: Pod, name = 'main') =>
  Number(statusOf(pod, name)?.containerID?.replace('process://', ''));

export interface Printed {
  readonly args: string[];
  readonly env: Record<string, string>;
  readonly cwd: string;
  readonly pid: number;
}

/** What a container with the program PRINT said of itself. */
export async function printed(
  cluster: TestCluster | undefined,
  pod: string,
  container = 'main',
): Promise<Printed> {
  const log = await cluster?.untilLogged(pod, container, '\n');
  return JSON.parse((log ?? '').split('\n')[0] ?? '') as Printed;
}

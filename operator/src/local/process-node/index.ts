import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FlashpodError } from '../../errors.js';
import type { Clock } from '../../kube/clock.js';
import type { Pod } from '../../kube/pod.js';
import type { ImageMap } from './images.js';
import { ProcessNode } from './node.js';

export interface ProcessNodeOptions {
  readonly kubeconfigPath: string;
  /** Image repository → command that stands for its entry point; the container's args follow. */
  readonly images: ImageMap;
  /** For volumes; must be short. A fresh directory when absent, removed at the end. */
  readonly root?: string;
  /** `NAMESPACE_POD/CONTAINER.log`; inside the root when absent. */
  readonly logsDir?: string;
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** The pods of one list are ended together, list after list. All together when absent. */
  readonly drainOrder?: (pods: readonly Pod[]) => readonly (readonly Pod[])[];
  /**
   * Longest wait before a crashed container is started again, as a kubelet's
   * `crashLoopBackOff.maxContainerRestartPeriod`; 300 s when absent.
   */
  readonly maxBackoffMs?: number;
  readonly clock?: Clock;
  /** Told of what went wrong and is tried again. */
  readonly onError?: (error: unknown, doing: string) => void;
}

export interface RunningNode {
  readonly name: string;
  readonly root: string;
  readonly logsDir: string;
  /** Ends all pods in order, each within its grace period, and within `graceMs` where that is shorter. */
  stop(graceMs?: number): Promise<void>;
  /** Kills all pods now. Call `stop` as well. */
  kill(): void;
}

/** A unix socket address is at most 107 bytes, and sockets live up to 55 bytes deep under hostPath volumes. */
const MAX_ROOT_BYTES = 52;

export async function startProcessNode(options: ProcessNodeOptions): Promise<RunningNode> {
  const ownRoot = options.root === undefined;
  const made = options.root ?? (await mkdtemp(join(tmpdir(), 'fp-')));
  await mkdir(made, { recursive: true, mode: 0o700 });
  const root = await realpath(made);
  if (Buffer.byteLength(root) > MAX_ROOT_BYTES) {
    throw new FlashpodError(
      'local.node-root',
      `the node's root ${root} is ${Buffer.byteLength(root)} bytes long; at most ${MAX_ROOT_BYTES} leave room for unix sockets below it`,
    );
  }
  const logsDir = options.logsDir ?? join(root, 'logs');
  await mkdir(logsDir, { recursive: true, mode: 0o700 });
  const name = options.name ?? 'local';
  const node = await ProcessNode.start({
    kubeconfigPath: options.kubeconfigPath,
    root,
    logsDir,
    images: options.images,
    name,
    labels: {
      'kubernetes.io/hostname': name,
      'kubernetes.io/os': process.platform,
      'kubernetes.io/arch': process.arch,
      ...options.labels,
    },
    ...(options.drainOrder === undefined ? {} : { drainOrder: options.drainOrder }),
    ...(options.maxBackoffMs === undefined ? {} : { maxBackoffMs: options.maxBackoffMs }),
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    ...(options.onError === undefined ? {} : { onError: options.onError }),
  });
  return {
    name,
    root,
    logsDir,
    kill: () => node.kill(),
    stop: async (graceMs) => {
      await node.stop(graceMs);
      if (ownRoot) await rm(root, { recursive: true, force: true });
    },
  };
}

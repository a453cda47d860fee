import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeClient } from '../../../kube/client.js';
import { type Pod, type PodSpec, Pods } from '../../../kube/pod.js';
import { eventually } from '../../../kube/testing/eventually.js';
import type { Stored } from '../../../kube/types.js';
import { type ApiServer, startApiServer } from '../../api-server/index.js';
import { type ProcessNodeOptions, type RunningNode, startProcessNode } from '../index.js';

/** An API server and a node whose images are small scripts; for tests. */
export class TestCluster {
  readonly server: ApiServer;
  readonly node: RunningNode;
  readonly client: KubeClient;
  readonly directory: string;
  readonly errors: string[] = [];

  private constructor(
    server: ApiServer,
    node: RunningNode,
    client: KubeClient,
    directory: string,
    errors: string[],
  ) {
    this.server = server;
    this.node = node;
    this.client = client;
    this.directory = directory;
    this.errors = errors;
  }

  /** Each script becomes the image `test/NAME`. */
  static async start(
    scripts: Readonly<Record<string, string>>,
    options: Partial<Omit<ProcessNodeOptions, 'kubeconfigPath' | 'images'>> = {},
  ): Promise<TestCluster> {
    const directory = await mkdtemp(join(tmpdir(), 'fpt-'));
    const images: Record<string, readonly [string, ...string[]]> = {};
    for (const [name, script] of Object.entries(scripts)) {
      const file = join(directory, `${name}.mjs`);
      await writeFile(file, script);
      images[`test/${name}`] = [process.execPath, file];
    }
    const server = await startApiServer();
    const errors: string[] = [];
    const node = await startProcessNode({
      kubeconfigPath: server.kubeconfigPath,
      images,
      root: join(directory, 'n'),
      onError: (error, doing) => errors.push(`${doing}: ${String(error)}`),
      ...options,
    });
    const client = KubeClient.load({ kubeconfig: server.kubeconfigPath, qps: 1000, burst: 1000 });
    return new TestCluster(server, node, client, directory, errors);
  }

  get pods() {
    return this.client.of(Pods);
  }

  run(name: string, spec: PodSpec, metadata: Pod['metadata'] = {}): Promise<Stored<Pod>> {
    return this.pods.create({ metadata: { ...metadata, name, namespace: 'default' }, spec });
  }

  /** The pod, once it is as wanted; fails with its last state after ten seconds. */
  async until(name: string, wanted: (pod: Stored<Pod>) => boolean): Promise<Stored<Pod>> {
    return eventually(
      () => this.pods.get({ namespace: 'default', name }),
      wanted,
      (pod) => JSON.stringify(pod?.status),
    );
  }

  async untilGone(name: string): Promise<void> {
    await eventually(
      () => this.pods.find({ namespace: 'default', name }),
      (pod) => pod === undefined,
      (pod) => JSON.stringify(pod),
    );
  }

  log(pod: string, container: string): Promise<string> {
    return readFile(join(this.node.logsDir, `default_${pod}`, `${container}.log`), 'utf8').catch(() => '');
  }

  /** The log, once it contains the text. */
  untilLogged(pod: string, container: string, text: string): Promise<string> {
    return eventually(
      () => this.log(pod, container),
      (log) => log.includes(text),
      (log) => log,
    );
  }

  async stop(): Promise<void> {
    await this.node.stop();
    await this.client.close();
    await this.server.stop();
    await rm(this.directory, { recursive: true, force: true });
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

import { cpus, totalmem } from 'node:os';
import { KubeClient } from '../../kube/client.js';
import { type Clock, systemClock } from '../../kube/clock.js';
import { timestamp } from '../../kube/conditions.js';
import { isAlreadyExists, isConflict, isNotFound } from '../../kube/errors.js';
import { EventRecorder, Events } from '../../kube/events.js';
import { type Pod, Pods } from '../../kube/pod.js';
import { type Change, Reflector } from '../../kube/reflector.js';
import { Nodes } from '../../kube/resources.js';
import type { Stored } from '../../kube/types.js';
import { Addresses, HOST_IP } from './addresses.js';
import type { ImageMap } from './images.js';
import { type NodeServices, PodWorker } from './pod-worker.js';
import { Reaper } from './reaper.js';
import { unschedulable } from './scheduling.js';
import { mentions, Sources } from './sources.js';

export interface NodeOptions {
  readonly kubeconfigPath: string;
  readonly root: string;
  readonly logsDir: string;
  readonly images: ImageMap;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The pods of one list are ended together, list after list. All together when absent. */
  readonly drainOrder?: (pods: readonly Pod[]) => readonly (readonly Pod[])[];
  readonly clock?: Clock;
  readonly onError?: (error: unknown, doing: string) => void;
}

/** Scheduler and kubelet of a cluster of one, whose containers are processes. */
export class ProcessNode {
  readonly #options: NodeOptions;
  readonly #client: KubeClient;
  readonly #pods: Reflector<Pod>;
  readonly #sources: Sources;
  readonly #recorder: EventRecorder<string>;
  readonly #services: NodeServices;
  readonly #addresses: Addresses;
  readonly #reaper = new Reaper();
  readonly #workers = new Map<string, PodWorker>();
  #stopping: Promise<void> | undefined;

  private constructor(options: NodeOptions, addresses: Addresses) {
    this.#options = options;
    this.#addresses = addresses;
    // Everything here is local: no reason to hold back.
    this.#client = KubeClient.load({
      kubeconfig: options.kubeconfigPath,
      qps: 500,
      burst: 1000,
      userAgent: 'flashpod-node',
    });
    const onError = (error: unknown, doing = 'watching') => options.onError?.(error, doing);
    this.#pods = new Reflector(this.#client.of(Pods), { onError });
    this.#sources = new Sources(this.#client, onError);
    this.#recorder = new EventRecorder(this.#client.of(Events), {
      component: 'flashpod.dev/process-node',
      instance: options.name,
    });
    this.#services = {
      pods: this.#client.of(Pods),
      clock: options.clock ?? systemClock,
      reaper: this.#reaper,
      sources: this.#sources,
      images: options.images,
      nodeName: options.name,
      root: options.root,
      logsDir: options.logsDir,
      kubeconfigPath: options.kubeconfigPath,
      event: (pod, type, reason, note) =>
        this.#recorder.record({ regarding: pod, type, reason, action: reason, note }),
      onError,
    };
  }

  static async start(options: NodeOptions): Promise<ProcessNode> {
    const node = new ProcessNode(options, await Addresses.open());
    await node.#register();
    await node.#sources.start();
    node.#sources.onChange((kind, namespace, name) => {
      for (const worker of node.#workers.values()) {
        if (worker.pod.metadata.namespace === namespace && mentions(worker.pod, kind, name))
          void worker.refreshVolumes();
      }
    });
    node.#pods.onChange((change) => node.#on(change));
    node.#pods.start();
    await node.#pods.synced;
    return node;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** SIGKILL to everything, now: for a caller that has no time left. */
  kill(): void {
    for (const worker of this.#workers.values()) worker.kill();
  }

  async #stop(): Promise<void> {
    await this.#setReady(false).catch((error: unknown) =>
      this.#services.onError(error, 'writing the node status'),
    );
    const pods = [...this.#workers.values()].map((worker) => worker.pod);
    for (const group of this.#options.drainOrder?.(pods) ?? [pods])
      await Promise.all(group.map((pod) => this.#drain(pod)));
    // What the order left out.
    await Promise.all([...this.#workers.values()].map((worker) => this.#drain(worker.pod)));
    await this.#pods.stop();
    await this.#sources.stop();
    await this.#recorder.flush();
    await this.#client.close();
    this.#reaper.close();
  }

  async #drain(pod: Pod): Promise<void> {
    const worker = this.#workers.get(pod.metadata?.uid ?? '');
    await worker?.terminate((pod.spec?.terminationGracePeriodSeconds ?? 30) * 1000);
  }

  #on({ type, object: pod }: Change<Pod>): void {
    if (type === 'deleted') {
      this.#ended(pod);
      return;
    }
    const nodeName = pod.spec?.nodeName;
    if (nodeName === undefined) {
      if (pod.metadata.deletionTimestamp === undefined) void this.#schedule(pod);
    } else if (nodeName === this.#options.name) this.#bound(pod);
  }

  async #schedule(pod: Stored<Pod>): Promise<void> {
    if (this.#stopping !== undefined) return;
    const { namespace = '', name, uid } = pod.metadata;
    const problem = unschedulable(pod, this.#options.labels);
    try {
      if (problem === undefined) {
        const target = { apiVersion: 'v1', kind: 'Node', name: this.#options.name };
        const body = { apiVersion: 'v1', kind: 'Binding', metadata: { namespace, name, uid }, target };
        const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/binding`;
        await this.#client.http.json({ method: 'POST', path, body });
        this.#services.event(
          pod,
          'Normal',
          'Scheduled',
          `Successfully assigned ${namespace}/${name} to ${this.#options.name}`,
        );
        return;
      }
      // A pod that was told already must not be told again by each of its own updates.
      if (pod.status?.conditions?.some(({ type, message }) => type === 'PodScheduled' && message === problem))
        return;
      const condition = {
        type: 'PodScheduled',
        status: 'False' as const,
        reason: 'Unschedulable',
        message: problem,
      };
      const conditions = [{ ...condition, lastTransitionTime: timestamp(this.#services.clock.wall()) }];
      await this.#services.pods.mergePatchStatus(
        { namespace, name },
        { metadata: { uid }, status: { phase: 'Pending', conditions } },
      );
      this.#services.event(pod, 'Warning', 'FailedScheduling', problem);
    } catch (error) {
      // Gone, or bound meanwhile.
      if (!isNotFound(error) && !isConflict(error)) this.#services.onError(error, `binding pod ${name}`);
    }
  }

  #bound(pod: Stored<Pod>): void {
    const known = this.#workers.get(pod.metadata.uid);
    if (known === undefined && this.#stopping !== undefined) return;
    const worker = known ?? this.#adopt(pod);
    worker.update(pod);
    if (pod.metadata.deletionTimestamp === undefined) {
      worker.start();
      return;
    }
    const graceMs = (pod.metadata.deletionGracePeriodSeconds ?? 0) * 1000;
    if (graceMs === 0) worker.kill();
    worker
      .terminate(graceMs)
      .then(() => worker.remove())
      .catch((error: unknown) => this.#services.onError(error, `ending pod ${pod.metadata.name}`));
  }

  #adopt(pod: Stored<Pod>): PodWorker {
    const podIP = pod.spec?.hostNetwork === true ? HOST_IP : this.#addresses.take();
    const worker = new PodWorker(pod, podIP, this.#services);
    this.#workers.set(worker.uid, worker);
    return worker;
  }

  /** The object is gone: also by force, while its processes still run. */
  #ended(pod: Stored<Pod>): void {
    const worker = this.#workers.get(pod.metadata.uid);
    if (worker === undefined) return;
    const graceMs = (pod.metadata.deletionGracePeriodSeconds ?? 0) * 1000;
    if (graceMs === 0) worker.kill();
    worker
      .terminate(graceMs)
      .then(() => worker.cleanUp())
      .catch((error: unknown) => this.#services.onError(error, `ending pod ${pod.metadata.name}`))
      .finally(() => {
        this.#workers.delete(worker.uid);
        this.#addresses.release(worker.podIP);
      });
  }

  async #register(): Promise<void> {
    const nodes = this.#client.of(Nodes);
    const { name } = this.#options;
    try {
      await nodes.create({ metadata: { name, labels: { ...this.#options.labels } } });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      await nodes.mergePatch({ name }, { metadata: { labels: { ...this.#options.labels } } });
    }
    await this.#setReady(true);
  }

  async #setReady(ready: boolean): Promise<void> {
    const resources = {
      cpu: String(cpus().length),
      memory: `${Math.floor(totalmem() / 1024)}Ki`,
      pods: '110',
    };
    const now = timestamp(this.#services.clock.wall());
    const reason = ready ? 'NodeReady' : 'NodeStopped';
    const condition = {
      type: 'Ready',
      status: ready ? 'True' : 'False',
      reason,
      message: `the process node ${ready ? 'runs' : 'has stopped'}`,
    } as const;
    await this.#client.of(Nodes).mergePatchStatus(
      { name: this.#options.name },
      {
        status: {
          addresses: [
            { type: 'InternalIP', address: HOST_IP },
            { type: 'Hostname', address: this.#options.name },
          ],
          capacity: resources,
          allocatable: resources,
          conditions: [{ ...condition, lastHeartbeatTime: now, lastTransitionTime: now }],
          nodeInfo: {
            architecture: process.arch,
            operatingSystem: process.platform,
            kubeletVersion: 'v1.35.0+flashpod',
            containerRuntimeVersion: `process://${process.versions.node}`,
          },
        },
      },
    );
  }
}

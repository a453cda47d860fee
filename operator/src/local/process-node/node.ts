import { KubeClient, type ResourceClient } from '../../kube/client.js';
import { type Clock, systemClock } from '../../kube/clock.js';
import { EventRecorder, Events } from '../../kube/events.js';
import { type Pod, Pods } from '../../kube/pod.js';
import { type Change, Reflector } from '../../kube/reflector.js';
import { type NodeObject, Nodes } from '../../kube/resources.js';
import type { Stored } from '../../kube/types.js';
import { Addresses, HOST_IP } from './addresses.js';
import { MAX_BACKOFF_MS } from './container.js';
import type { ImageMap } from './images.js';
import type { NodeServices } from './node-services.js';
import { PodWorker } from './pod-worker.js';
import { Reaper } from './reaper.js';
import { registerNode, writeNodeStatus } from './registration.js';
import { Scheduler } from './scheduler.js';
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
  readonly maxBackoffMs?: number;
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
  readonly #scheduler: Scheduler;
  readonly #nodes: ResourceClient<NodeObject>;
  readonly #addresses: Addresses;
  readonly #reaper = new Reaper();
  readonly #workers = new Map<string, PodWorker>();
  readonly #closing = new AbortController();
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
      maxBackoffMs: options.maxBackoffMs ?? MAX_BACKOFF_MS,
      closing: this.#closing.signal,
      event: (pod, type, reason, note) =>
        this.#recorder.record({ regarding: pod, type, reason, action: reason, note }),
      onError,
    };
    this.#scheduler = new Scheduler(this.#client, options.labels, this.#services);
    this.#nodes = this.#client.of(Nodes);
  }

  static async start(options: NodeOptions): Promise<ProcessNode> {
    const node = new ProcessNode(options, await Addresses.open());
    try {
      await registerNode(node.#nodes, options.name, options.labels);
      await writeNodeStatus(node.#nodes, options.name, true, node.#services.clock.wall());
    } catch (error) {
      node.#reaper.close();
      throw error;
    }
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

  stop(graceMs = Number.POSITIVE_INFINITY): Promise<void> {
    this.#stopping ??= this.#stop(graceMs);
    return this.#stopping;
  }

  /** SIGKILL to everything, now: for a caller that has no time left. */
  kill(): void {
    for (const worker of this.#workers.values()) worker.kill();
  }

  async #stop(graceMs: number): Promise<void> {
    await writeNodeStatus(this.#nodes, this.#options.name, false, this.#services.clock.wall()).catch(
      (error: unknown) => this.#services.onError(error, 'writing the node status'),
    );
    const pods = [...this.#workers.values()].map((worker) => worker.pod);
    for (const group of this.#options.drainOrder?.(pods) ?? [pods])
      await Promise.all(group.map((pod) => this.#drain(pod, graceMs)));
    // What the order left out.
    await Promise.all([...this.#workers.values()].map((worker) => this.#drain(worker.pod, graceMs)));
    this.#closing.abort();
    await Promise.all([...this.#workers.values()].map((worker) => worker.settled()));
    await this.#pods.stop();
    await this.#sources.stop();
    await this.#recorder.flush();
    await this.#client.close();
    this.#reaper.close();
  }

  async #drain(pod: Pod, graceMs: number): Promise<void> {
    const worker = this.#workers.get(pod.metadata?.uid ?? '');
    await worker?.terminate(Math.min((pod.spec?.terminationGracePeriodSeconds ?? 30) * 1000, graceMs));
  }

  #on({ type, object: pod }: Change<Pod>): void {
    if (type === 'deleted') {
      this.#ended(pod);
      return;
    }
    const nodeName = pod.spec?.nodeName;
    if (nodeName === undefined) {
      const wanted = pod.metadata.deletionTimestamp === undefined && this.#stopping === undefined;
      if (wanted) void this.#scheduler.schedule(pod);
    } else if (nodeName === this.#options.name) this.#bound(pod);
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
}

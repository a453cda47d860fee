import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../errors.js';
import { sleep } from '../../kube/clock.js';
import { timestamp } from '../../kube/conditions.js';
import type { Container, ContainerStatus, Pod, PodStatus } from '../../kube/pod.js';
import type { Stored } from '../../kube/types.js';
import { HOST_IP } from './addresses.js';
import { type ContainerHost, ContainerUnit, type RestartPolicy } from './container.js';
import { planLaunch } from './launch.js';
import type { NodeServices } from './node-services.js';
import { podStatus } from './pod-status.js';
import { StatusWriter, untilDone } from './status-writer.js';
import { unsupportedFields } from './supported.js';
import { PodVolumes } from './volumes.js';

const MOUNT_RETRY_MS = 2000;
/** Sidecars get at least this long, even when the main containers used up the grace period. */
const SIDECAR_GRACE_MS = 2000;

/** Runs one pod, from its binding to its removal. */
export class PodWorker {
  readonly uid: string;
  readonly podIP: string;
  readonly #node: NodeServices;
  readonly #directory: string;
  readonly #volumes: PodVolumes;
  readonly #startTime: string;
  readonly #status: StatusWriter;
  readonly #terminating = new AbortController();
  /** Wakes a pod that waits for its Secrets and ConfigMaps. */
  #sourcesChanged = new AbortController();
  readonly #init: ContainerUnit[];
  readonly #main: ContainerUnit[];
  #pod: Stored<Pod>;
  #initialized = false;
  #failure: { reason: string; message: string } | undefined;
  #running: Promise<void> | undefined;
  #termination: Promise<void> | undefined;
  #removal: Promise<void> | undefined;

  constructor(pod: Stored<Pod>, podIP: string, node: NodeServices) {
    this.uid = pod.metadata.uid;
    this.podIP = podIP;
    this.#pod = pod;
    this.#node = node;
    this.#directory = join(node.root, 'pods', this.uid);
    this.#volumes = new PodVolumes(node.root, this.#directory, pod, node.sources);
    this.#startTime = timestamp(node.clock.wall());
    this.#status = new StatusWriter(
      node,
      () => this.#observe(),
      (written) => {
        if (this.#pod.metadata.deletionTimestamp === undefined) this.#pod = written;
      },
    );
    const podPolicy = pod.spec?.restartPolicy ?? 'Always';
    const host = this.#host();
    const unit = (container: Container, policy: RestartPolicy) =>
      new ContainerUnit(container, policy, host, this.#restartsBefore(container.name));
    this.#init = (pod.spec?.initContainers ?? []).map((container) =>
      unit(
        container,
        container.restartPolicy === 'Always' ? 'Always' : podPolicy === 'Never' ? 'Never' : 'OnFailure',
      ),
    );
    this.#main = (pod.spec?.containers ?? []).map((container) => unit(container, podPolicy));
  }

  get pod(): Stored<Pod> {
    return this.#pod;
  }

  start(): void {
    this.#running ??= this.#run().catch((error: unknown) => {
      this.#fail('NodeError', messageOf(error));
      this.#node.onError(error, `running pod ${this.#pod.metadata.name}`);
    });
  }

  /** A newer state of the same pod. */
  update(pod: Stored<Pod>): void {
    this.#pod = pod;
  }

  /** Writes changed Secrets and ConfigMaps into the volumes of the running pod. */
  async refreshVolumes(): Promise<void> {
    this.#sourcesChanged.abort();
    this.#sourcesChanged = new AbortController();
    if (!this.#initialized) return;
    await this.#volumes
      .prepare()
      .catch((error: unknown) => this.#event('Warning', 'FailedMount', messageOf(error)));
  }

  /** Ends all containers: first the main ones together, then the sidecars, last started first. */
  terminate(graceMs: number): Promise<void> {
    this.#termination ??= this.#terminate(graceMs);
    return this.#termination;
  }

  /** Ends them now; a termination under way is cut short. */
  kill(): void {
    for (const unit of [...this.#main, ...this.#init]) unit.kill();
  }

  /** After termination: the last status, then the end of the object, then of the files. */
  remove(): Promise<void> {
    this.#removal ??= this.#remove();
    return this.#removal;
  }

  async #remove(): Promise<void> {
    await this.#status.flush();
    const { namespace = '', name, uid } = this.#pod.metadata;
    await untilDone(this.#node, `removing pod ${name}`, () =>
      this.#node.pods.delete({ namespace, name }, { uid, graceSeconds: 0 }),
    );
    await this.cleanUp();
  }

  /** Resolves when the API server was told how it stands, or could not be told. */
  async settled(): Promise<void> {
    await (this.#removal ?? this.#status.flush());
  }

  async cleanUp(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #run(): Promise<void> {
    const unsupported = unsupportedFields(this.#pod);
    if (unsupported.length > 0) {
      this.#fail(
        'UnsupportedByProcessNode',
        `this node runs pods as processes and cannot honour: ${unsupported.join('; ')}`,
      );
      return;
    }
    this.#changed();
    if (!(await this.#mountVolumes()) || !(await this.#initialize())) return;
    this.#initialized = true;
    for (const unit of this.#main) unit.start();
    this.#changed();
    await Promise.all(this.#main.map((unit) => unit.finished));
    // Of a pod that is done, the sidecars have nothing left to serve.
    if (!this.#terminating.signal.aborted) await this.terminate(this.#graceMs());
  }

  async #mountVolumes(): Promise<boolean> {
    const { signal } = this.#terminating;
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    while (!signal.aborted) {
      try {
        await this.#volumes.prepare();
        return true;
      } catch (error) {
        this.#event('Warning', 'FailedMount', messageOf(error));
        await sleep(this.#node.clock, MOUNT_RETRY_MS, AbortSignal.any([signal, this.#sourcesChanged.signal]));
      }
    }
    return false;
  }

  async #initialize(): Promise<boolean> {
    const { signal } = this.#terminating;
    for (const unit of this.#init) {
      if (signal.aborted) return false;
      unit.start();
      if (unit.container.restartPolicy === 'Always') {
        await unit.started;
        continue;
      }
      await unit.finished;
      if (unit.exitCode !== 0) {
        this.#changed();
        return false;
      }
    }
    return !signal.aborted;
  }

  async #terminate(graceMs: number): Promise<void> {
    this.#terminating.abort();
    const deadline = this.#node.clock.now() + graceMs;
    const left = () => Math.max(deadline - this.#node.clock.now(), graceMs === 0 ? 0 : SIDECAR_GRACE_MS);
    const sidecars = this.#init.filter((unit) => unit.container.restartPolicy === 'Always');
    const others = this.#init.filter((unit) => unit.container.restartPolicy !== 'Always');
    await Promise.all([...this.#main, ...others].map((unit) => unit.stop(graceMs)));
    for (const unit of sidecars.reverse()) await unit.stop(left());
    this.#changed();
  }

  #host(): ContainerHost {
    return {
      clock: this.#node.clock,
      reaper: this.#node.reaper,
      podIP: this.podIP,
      graceMs: this.#graceMs(),
      maxBackoffMs: this.#node.maxBackoffMs,
      plan: (container) =>
        planLaunch(
          { pod: this.#pod, podIP: this.podIP, directory: this.#directory, volumes: this.#volumes },
          container,
          this.#node,
        ),
      changed: () => this.#changed(),
      event: (type, reason, note) => this.#event(type, reason, note),
    };
  }

  #graceMs(): number {
    return (this.#pod.spec?.terminationGracePeriodSeconds ?? 30) * 1000;
  }

  #restartsBefore(name: string): number {
    const { initContainerStatuses = [], containerStatuses = [] } = this.#pod.status ?? {};
    const before = [...initContainerStatuses, ...containerStatuses].find((status) => status.name === name);
    // It ran on a node that has ended since: this start is a restart.
    return before?.containerID === undefined ? 0 : before.restartCount + 1;
  }

  #fail(reason: string, message: string): void {
    this.#failure = { reason, message };
    this.#event('Warning', reason, message);
    this.#changed();
  }

  #event(type: 'Normal' | 'Warning', reason: string, note: string): void {
    this.#node.event(this.#pod, type, reason, note);
  }

  #changed(): void {
    this.#status.changed();
  }

  #observe(): { pod: Stored<Pod>; status: PodStatus } {
    const statuses = (units: readonly ContainerUnit[]): ContainerStatus[] => units.map((unit) => unit.status);
    const observed = {
      podIP: this.podIP,
      hostIP: HOST_IP,
      startTime: this.#startTime,
      init: statuses(this.#init),
      main: statuses(this.#main),
      initialized: this.#initialized,
      ...(this.#failure === undefined ? {} : { failure: this.#failure }),
    };
    return { pod: this.#pod, status: podStatus(this.#pod, observed, this.#node.clock.wall()) };
  }
}

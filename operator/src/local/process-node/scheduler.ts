import type { KubeClient } from '../../kube/client.js';
import { timestamp } from '../../kube/conditions.js';
import { isConflict, isNotFound } from '../../kube/errors.js';
import type { Pod, PodStatus } from '../../kube/pod.js';
import type { Stored } from '../../kube/types.js';
import type { NodeServices } from './node-services.js';

/** Binds pods to the one node there is, or says why not. */
export class Scheduler {
  readonly #client: KubeClient;
  readonly #labels: Readonly<Record<string, string>>;
  readonly #services: NodeServices;

  constructor(client: KubeClient, labels: Readonly<Record<string, string>>, services: NodeServices) {
    this.#client = client;
    this.#labels = labels;
    this.#services = services;
  }

  async schedule(pod: Stored<Pod>): Promise<void> {
    const problem = unschedulable(pod, this.#labels);
    try {
      if (problem === undefined) await this.#bind(pod);
      else await this.#refuse(pod, problem);
    } catch (error) {
      // Gone, or bound meanwhile.
      if (isNotFound(error) || isConflict(error)) return;
      this.#services.onError(error, `binding pod ${pod.metadata.name}`);
    }
  }

  async #bind(pod: Stored<Pod>): Promise<void> {
    const { namespace = '', name, uid } = pod.metadata;
    const { nodeName } = this.#services;
    const target = { apiVersion: 'v1', kind: 'Node', name: nodeName };
    const body = { apiVersion: 'v1', kind: 'Binding', metadata: { namespace, name, uid }, target };
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/binding`;
    await this.#client.http.json({ method: 'POST', path, body });
    this.#services.event(
      pod,
      'Normal',
      'Scheduled',
      `Successfully assigned ${namespace}/${name} to ${nodeName}`,
    );
  }

  async #refuse(pod: Stored<Pod>, problem: string): Promise<void> {
    // A pod that was told already must not be told again by each of its own updates.
    if (pod.status?.conditions?.some(({ type, message }) => type === 'PodScheduled' && message === problem))
      return;
    const { namespace = '', name, uid } = pod.metadata;
    const lastTransitionTime = timestamp(this.#services.clock.wall());
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message: problem,
    } as const;
    const status: PodStatus = { phase: 'Pending', conditions: [{ ...condition, lastTransitionTime }] };
    await this.#services.pods.mergePatchStatus({ namespace, name }, { metadata: { uid }, status });
    this.#services.event(pod, 'Warning', 'FailedScheduling', problem);
  }
}

/** Why the pod cannot run on a node with these labels; undefined when it can. */
function unschedulable(pod: Pod, labels: Readonly<Record<string, string>>): string | undefined {
  const missing = Object.entries(pod.spec?.nodeSelector ?? {}).filter(
    ([key, value]) => labels[key] !== value,
  );
  if (missing.length === 0) return undefined;
  const selector = missing.map(([key, value]) => `${key}=${value}`).join(',');
  return `0/1 nodes are available: 1 node(s) didn't match the node selector ${selector}`;
}

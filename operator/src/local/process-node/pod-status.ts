import { timestamp } from '../../kube/conditions.js';
import type { ContainerStatus, Pod, PodStatus } from '../../kube/pod.js';

export interface Observed {
  readonly podIP: string;
  readonly hostIP: string;
  readonly startTime: string;
  readonly init: readonly ContainerStatus[];
  readonly main: readonly ContainerStatus[];
  /** The init containers that run to completion have done so, the others have started. */
  readonly initialized: boolean;
  /** Why it ended other than by its containers. */
  readonly failure?: { readonly reason: string; readonly message: string };
}

type PodCondition = NonNullable<PodStatus['conditions']>[number];

/** The status of a pod as the kubelet derives it from its containers. */
export function podStatus(pod: Pod, observed: Observed, now: Date): PodStatus {
  const phase = phaseOf(pod, observed);
  const ended = phase === 'Succeeded' || phase === 'Failed';
  const containersReady =
    !ended &&
    observed.initialized &&
    observed.main.every(({ ready }) => ready) &&
    sidecarsReady(pod, observed);
  const notReady = observed.main.filter(({ ready }) => !ready).map(({ name }) => name);
  const why = ended
    ? { reason: phase === 'Succeeded' ? 'PodCompleted' : 'PodFailed' }
    : { reason: 'ContainersNotReady', message: `containers with unready status: [${notReady.join(' ')}]` };
  const states: readonly (readonly [string, boolean, object])[] = [
    ['Initialized', observed.initialized, { reason: 'ContainersNotInitialized' }],
    ['ContainersReady', containersReady, why],
    ['Ready', containersReady, why],
  ];
  const before = pod.status?.conditions ?? [];
  const scheduled = before.filter(({ type }) => type === 'PodScheduled');
  const conditions = states.map(([type, holds, reason]) =>
    condition(before, type, holds, holds ? {} : reason, now),
  );
  const generation = pod.metadata?.generation;
  return {
    phase,
    conditions: [...scheduled, ...conditions],
    hostIP: observed.hostIP,
    podIP: observed.podIP,
    podIPs: [{ ip: observed.podIP }],
    startTime: observed.startTime,
    initContainerStatuses: [...observed.init],
    containerStatuses: [...observed.main],
    ...(observed.failure ?? {}),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
}

function condition(
  before: readonly PodCondition[],
  type: string,
  holds: boolean,
  reason: object,
  now: Date,
): PodCondition {
  const status = holds ? 'True' : 'False';
  const same = before.find((candidate) => candidate.type === type && candidate.status === status);
  return {
    type,
    status,
    lastProbeTime: null,
    lastTransitionTime: same?.lastTransitionTime ?? timestamp(now),
    ...reason,
  };
}

function sidecarsReady(pod: Pod, { init }: Observed): boolean {
  const sidecars = new Set(
    (pod.spec?.initContainers ?? [])
      .filter(({ restartPolicy }) => restartPolicy === 'Always')
      .map(({ name }) => name),
  );
  return init.every(({ name, ready }) => !sidecars.has(name) || ready);
}

function phaseOf(pod: Pod, { main, init, initialized, failure }: Observed): NonNullable<PodStatus['phase']> {
  if (failure !== undefined) return 'Failed';
  if (!initialized) {
    const failed = init.some(({ state }) => (state.terminated?.exitCode ?? 0) !== 0);
    return failed && pod.spec?.restartPolicy === 'Never' ? 'Failed' : 'Pending';
  }
  const deleted = pod.metadata?.deletionTimestamp !== undefined;
  const ended = main.length > 0 && main.every(({ state }) => state.terminated !== undefined);
  if (ended && (pod.spec?.restartPolicy !== 'Always' || deleted)) {
    return main.every(({ state }) => state.terminated?.exitCode === 0) ? 'Succeeded' : 'Failed';
  }
  const begun = main.some(
    ({ state, restartCount }) =>
      state.running !== undefined || state.terminated !== undefined || restartCount > 0,
  );
  return begun ? 'Running' : 'Pending';
}

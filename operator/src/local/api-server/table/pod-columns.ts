import { isObject, type Json, type JsonObject, stringAt } from '../json.js';
import type { ApiObject } from '../kinds/kind.js';
import { since } from './age.js';
import { type Column, column, wide } from './column.js';
import { nameColumn } from './custom-columns.js';

/** As printPod of k8s.io/kubernetes/pkg/printers/internalversion sums up a pod. */
interface Summary {
  readonly ready: number;
  readonly total: number;
  readonly reason: string;
  readonly restarts: number;
  readonly lastRestart: string | undefined;
}

const NONE = '<none>';

export const podColumns: Column[] = [
  nameColumn(),
  column('Ready', (pod) => {
    const { ready, total } = summaryOf(pod);
    return `${ready}/${total}`;
  }),
  column('Status', (pod) => summaryOf(pod).reason),
  column('Restarts', (pod, now) => {
    const { restarts, lastRestart } = summaryOf(pod);
    return restarts > 0 && lastRestart !== undefined
      ? `${restarts} (${since(lastRestart, now)} ago)`
      : String(restarts);
  }),
  column('Age', (pod, now) => since(pod.metadata['creationTimestamp'], now)),
  wide('IP', (pod) => stringAt(pod, 'status', 'podIP') || NONE),
  wide('Node', (pod) => stringAt(pod, 'spec', 'nodeName') || NONE),
  wide('Nominated Node', (pod) => stringAt(pod, 'status', 'nominatedNodeName') || NONE),
  wide('Readiness Gates', () => NONE),
];

const objects = (value: Json | undefined): JsonObject[] =>
  Array.isArray(value) ? value.filter(isObject) : [];
const inner = (value: JsonObject | undefined, name: string): JsonObject | undefined => {
  const found = value?.[name];
  return isObject(found) ? found : undefined;
};

function summaryOf(pod: ApiObject): Summary {
  const spec = inner(pod, 'spec');
  const status = inner(pod, 'status');
  const containers = objects(spec?.['containers']);
  const sidecars = new Set(
    objects(spec?.['initContainers'])
      .filter((container) => container['restartPolicy'] === 'Always')
      .map((container) => container['name']),
  );
  const inits = objects(status?.['initContainerStatuses']);
  let reason = String(status?.['reason'] ?? status?.['phase'] ?? '');
  let restarts = 0;
  let sidecarRestarts = 0;
  let ready = 0;
  const finished: string[] = [];
  const sidecarFinished: string[] = [];
  let initializing = false;
  for (const [index, container] of inits.entries()) {
    const isSidecar = sidecars.has(container['name']);
    restarts += Number(container['restartCount'] ?? 0);
    noteEnd(container, finished);
    if (isSidecar) {
      sidecarRestarts += Number(container['restartCount'] ?? 0);
      noteEnd(container, sidecarFinished);
    }
    if (initializing) continue;
    const terminated = inner(inner(container, 'state'), 'terminated');
    if (terminated?.['exitCode'] === 0) continue;
    if (isSidecar && container['started'] === true) {
      if (container['ready'] === true) ready += 1;
      continue;
    }
    const waiting = stringAt(container, 'state', 'waiting', 'reason');
    if (terminated !== undefined) reason = `Init:${endReason(terminated)}`;
    else if (waiting !== undefined && waiting !== '' && waiting !== 'PodInitializing')
      reason = `Init:${waiting}`;
    else reason = `Init:${index}/${objects(spec?.['initContainers']).length}`;
    initializing = true;
  }
  if (!initializing || isTrue(status, 'Initialized')) {
    restarts = sidecarRestarts;
    finished.splice(0, finished.length, ...sidecarFinished);
    let running = false;
    for (const container of objects(status?.['containerStatuses']).reverse()) {
      restarts += Number(container['restartCount'] ?? 0);
      noteEnd(container, finished);
      const state = inner(container, 'state');
      const waiting = stringAt(state, 'waiting', 'reason');
      const terminated = inner(state, 'terminated');
      if (waiting !== undefined && waiting !== '') reason = waiting;
      else if (terminated !== undefined) reason = endReason(terminated);
      else if (container['ready'] === true && state?.['running'] !== undefined) {
        running = true;
        ready += 1;
      }
    }
    if (reason === 'Completed' && running) reason = isTrue(status, 'Ready') ? 'Running' : 'NotReady';
  }
  if (pod.metadata['deletionTimestamp'] !== undefined)
    reason = status?.['reason'] === 'NodeLost' ? 'Unknown' : 'Terminating';
  return {
    ready,
    total: containers.length + sidecars.size,
    reason,
    restarts,
    lastRestart: finished.sort().at(-1),
  };
}

function noteEnd(container: JsonObject, ends: string[]): void {
  const at = stringAt(container, 'lastState', 'terminated', 'finishedAt');
  if (at !== undefined) ends.push(at);
}

function endReason(terminated: JsonObject): string {
  const { reason, signal, exitCode } = terminated;
  if (typeof reason === 'string' && reason !== '') return reason;
  return signal === undefined || signal === 0 ? `ExitCode:${String(exitCode)}` : `Signal:${String(signal)}`;
}

function isTrue(status: JsonObject | undefined, type: string): boolean {
  return objects(status?.['conditions']).some(
    (condition) => condition['type'] === type && condition['status'] === 'True',
  );
}

// Reading: lists, tables, formats, selectors, descriptions, watches.
import type { Take } from '../recorder.ts';
import { API, pod } from './manifests.ts';

const core1 = '/api/v1/namespaces/desk';
const meta = (name: string) => ({ name, namespace: 'desk' });

async function event(take: Take, group: 'core' | 'events', name: string, regarding: unknown, more: unknown) {
  if (group === 'core') {
    await take.direct('POST', `${core1}/events`, {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: meta(name),
      involvedObject: regarding as never,
      reason: 'Started',
      message: 'an event of the old sort',
      type: 'Normal',
      source: { component: 'node' },
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:01:00Z',
      count: 3,
      ...(more as object),
    });
    return;
  }
  await take.direct('POST', '/apis/events.k8s.io/v1/namespaces/desk/events', {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: meta(name),
    regarding: regarding as never,
    reason: 'CapitalRefused',
    note: 'an event of the new sort',
    type: 'Warning',
    action: 'Reconcile',
    eventTime: '2026-01-01T00:02:00.000000Z',
    reportingController: 'flashpod.dev/operator',
    reportingInstance: 'operator-1',
    ...(more as object),
  });
}

export const readScenes = [
  async (take: Take) => {
    await take.kubectl('get ts');
    await take.kubectl('get ts -o wide');
    await take.kubectl('get ts,ta,xc');
    await take.kubectl('get flashpod --show-labels');
    await take.kubectl('get ts -A -L team');
    await take.kubectl('get ts maker');
    await take.kubectl('get ts maker taker -o name');
  },
  async (take: Take) => {
    await take.kubectl('get ts maker -o yaml');
    await take.kubectl('get ts -o json');
    await take.kubectl("get ts -o jsonpath='{.items[*].spec.symbols}'");
    await take.kubectl('get ts -o custom-columns=NAME:.metadata.name,MODE:.spec.mode');
    await take.kubectl('get ts --sort-by=.metadata.name');
    await take.kubectl('get ts -o name --chunk-size=1');
    await take.kubectl('get ts --no-headers');
  },
  async (take: Take) => {
    await take.kubectl('get ts -l app=flashpod,team!=red');
    await take.kubectl("get ts -l 'team in (blue, green)' -o name");
    await take.kubectl("get ts -l '!team' ");
    await take.kubectl('get ts -l team=red');
    await take.kubectl("get ts -l 'team in' ");
    await take.kubectl('get ts --field-selector metadata.name=maker -o name');
    await take.kubectl('get ts --field-selector spec.mode=Shadow -o name');
    await take.kubectl('get ts --field-selector spec.mode!=Shadow,metadata.namespace=desk -A -o name');
    await take.kubectl('get ts --field-selector spec.nothing=1');
    await take.kubectl('get ts absent');
    await take.kubectl('get halts');
    await take.kubectl('get nothing');
    await take.kubectl('get ts maker -n nowhere');
    await take.kubectl('get ts -n nowhere');
  },
  async (take: Take) => {
    take.file('pod.yaml', pod);
    await take.kubectl('create -f pod.yaml');
    await take.kubectl('get pods');
    await take.kubectl('get pods -o wide');
    await take.kubectl('get pod waiting -o yaml');
    await take.kubectl('get pods --field-selector status.phase=Pending -o name');
    await take.kubectl('logs waiting');
    await take.kubectl('logs waiting -c nothing');
    await take.kubectl('logs absent');
  },
  async (take: Take) => {
    // As a kubelet writes it.
    await take.direct('POST', '/api/v1/nodes', {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'local', labels: { 'kubernetes.io/hostname': 'local' } },
    });
    await take.direct(
      'PATCH',
      '/api/v1/nodes/local/status',
      {
        status: {
          addresses: [
            { type: 'InternalIP', address: '127.0.0.1' },
            { type: 'Hostname', address: 'local' },
          ],
          capacity: { cpu: '2', memory: '8Gi', pods: '110' },
          allocatable: { cpu: '2', memory: '8Gi', pods: '110' },
          conditions: [
            {
              type: 'Ready',
              status: 'True',
              reason: 'NodeReady',
              message: 'the node runs',
              lastHeartbeatTime: '2026-01-01T00:00:00Z',
              lastTransitionTime: '2026-01-01T00:00:00Z',
            },
          ],
          nodeInfo: {
            architecture: 'amd64',
            operatingSystem: 'linux',
            kubeletVersion: 'v1.36.3',
            containerRuntimeVersion: 'process://24',
            osImage: '',
            kernelVersion: '',
            machineID: '',
            systemUUID: '',
            bootID: '',
            kubeProxyVersion: '',
          },
        },
      },
      'application/merge-patch+json',
    );
    await take.direct('POST', `${core1}/pods/waiting/binding`, {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name: 'waiting' },
      target: { apiVersion: 'v1', kind: 'Node', name: 'local' },
    });
    await take.direct(
      'PATCH',
      `${core1}/pods/waiting/status`,
      {
        status: {
          phase: 'Running',
          podIP: '127.1.2.3',
          podIPs: [{ ip: '127.1.2.3' }],
          hostIP: '127.0.0.1',
          startTime: '2026-01-01T00:00:00Z',
          conditions: [
            {
              type: 'Ready',
              status: 'False',
              reason: 'ContainersNotReady',
              lastTransitionTime: '2026-01-01T00:00:00Z',
            },
          ],
          initContainerStatuses: [
            {
              name: 'agent',
              image: 'flashpod/agent:0.1.0',
              imageID: 'process://flashpod/agent',
              ready: true,
              started: true,
              restartCount: 0,
              state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
              lastState: {},
            },
          ],
          containerStatuses: [
            {
              name: 'core',
              image: 'flashpod/core:0.1.0',
              imageID: 'process://flashpod/core',
              ready: false,
              started: false,
              restartCount: 2,
              state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } },
              lastState: {
                terminated: {
                  exitCode: 1,
                  reason: 'Error',
                  startedAt: '2026-01-01T00:00:00Z',
                  finishedAt: '2026-01-01T00:00:05Z',
                },
              },
            },
          ],
        },
      },
      'application/merge-patch+json',
    );
    await take.kubectl('get pods -o wide');
    await take.kubectl('get nodes');
    await take.kubectl('get nodes -o wide');
    await take.kubectl('describe pod waiting');
    await take.kubectl('describe node local');
  },
  async (take: Take) => {
    const maker = (await take.direct('GET', `${API}/tradingstrategies/maker`)) as {
      metadata: { uid: string };
    };
    const regarding = {
      apiVersion: 'trading.flashpod.dev/v1alpha1',
      kind: 'TradingStrategy',
      name: 'maker',
      namespace: 'desk',
      uid: maker.metadata.uid,
    };
    await event(take, 'core', 'maker.1', regarding, {});
    await event(take, 'events', 'maker.2', regarding, {
      series: { count: 4, lastObservedTime: '2026-01-01T00:03:00.000000Z' },
    });
    await event(
      take,
      'events',
      'maker.3',
      { ...regarding, name: 'taker', uid: undefined },
      { type: 'Normal' },
    );
    await take.kubectl('describe ts maker');
    await take.kubectl('events --for ts/maker');
    await take.kubectl('events --types=Warning');
    await take.kubectl('get events');
    await take.kubectl('get events.events.k8s.io');
    await take.kubectl('get events -o wide --field-selector involvedObject.name=taker');
    await take.kubectl('get events.events.k8s.io maker.1 -o yaml');
    await take.kubectl('get events maker.2 -o yaml');
  },
  async (take: Take) => {
    await take.kubectl('describe secret keys');
    await take.kubectl('describe cm settings');
    await take.kubectl('get secrets');
    await take.kubectl('get cm');
    await take.kubectl('get ns desk');
    await take.kubectl('describe ns desk');
    await take.direct('POST', '/apis/coordination.k8s.io/v1/namespaces/desk/leases', {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: meta('flashpod-account-main'),
      spec: { holderIdentity: 'agent-1', leaseDurationSeconds: 60, renewTime: '2026-01-01T00:00:00.000000Z' },
    });
    await take.kubectl('get leases');
    await take.kubectl('describe lease flashpod-account-main');
    await take.direct('POST', '/apis/apps/v1/namespaces/desk/controllerrevisions', {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: { ...meta('maker-1'), labels: { app: 'flashpod' } },
      data: { spec: { mode: 'Paper', symbols: ['BTCUSDC'] } },
      revision: 1,
    });
    await take.kubectl('get controllerrevisions');
    await take.kubectl('get controllerrevision maker-1 -o yaml');
    await take.kubectl('describe crd halts.trading.flashpod.dev');
  },
  async (take: Take) => {
    await take.during(
      'get ts -w',
      5,
      async () => {
        await take.kubectl('label ts maker step=one');
        await take.kubectl('label ts maker step-');
      },
      4,
    );
  },
  async (take: Take) => {
    await take.during('get ts -w -o json -l step=two --output-watch-events', 1, async () => {
      await take.kubectl('label ts maker step=two');
      await take.kubectl('label ts maker step-');
    });
  },
  async (take: Take) => {
    await take.during('get cm --watch-only -o name', 2, async () => {
      await take.kubectl('create configmap passing --from-literal=a=1');
      await take.kubectl('delete configmap passing');
    });
  },
];

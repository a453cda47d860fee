import { cpus, totalmem } from 'node:os';
import type { ResourceClient } from '../../kube/client.js';
import { timestamp } from '../../kube/conditions.js';
import { isAlreadyExists } from '../../kube/errors.js';
import type { NodeObject } from '../../kube/resources.js';
import { HOST_IP } from './addresses.js';

/** As Go names them, and so Kubernetes does. */
const ARCHITECTURES: Partial<Record<string, string>> = { x64: 'amd64', ia32: '386' };

/** Makes the Node object, or takes over the one that an earlier run left. */
export async function registerNode(
  nodes: ResourceClient<NodeObject>,
  name: string,
  labels: Readonly<Record<string, string>>,
): Promise<void> {
  try {
    await nodes.create({ metadata: { name, labels: { ...labels } } });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    await nodes.mergePatch({ name }, { metadata: { labels } });
  }
}

export async function writeNodeStatus(
  nodes: ResourceClient<NodeObject>,
  name: string,
  ready: boolean,
  at: Date,
): Promise<void> {
  const resources = { cpu: String(cpus().length), memory: `${Math.floor(totalmem() / 1024)}Ki`, pods: '110' };
  const now = timestamp(at);
  const condition = {
    type: 'Ready',
    status: ready ? 'True' : 'False',
    reason: ready ? 'NodeReady' : 'NodeStopped',
    message: `the process node ${ready ? 'runs' : 'has stopped'}`,
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  } as const;
  const status = {
    addresses: [
      { type: 'InternalIP', address: HOST_IP },
      { type: 'Hostname', address: name },
    ],
    capacity: resources,
    allocatable: resources,
    conditions: [condition],
    nodeInfo: {
      architecture: ARCHITECTURES[process.arch] ?? process.arch,
      operatingSystem: process.platform,
      kubeletVersion: 'v1.36.3+flashpod',
      containerRuntimeVersion: `process://${process.versions.node}`,
    },
  };
  await nodes.mergePatchStatus({ name }, { status });
}

import { isObject, type Json, type JsonObject } from '../json.js';
import type { KindRules } from './kind.js';

/** What a node tells of itself; the API shows it all, also before it did. */
const NO_INFO: JsonObject = Object.fromEntries(
  [
    ...['machineID', 'systemUUID', 'bootID', 'kernelVersion', 'osImage', 'containerRuntimeVersion'],
    ...['kubeletVersion', 'kubeProxyVersion', 'operatingSystem', 'architecture'],
  ].map((name): [string, Json] => [name, '']),
);
export const EMPTY_NODE: JsonObject = {
  spec: {},
  status: { daemonEndpoints: { kubeletEndpoint: { Port: 0 } }, nodeInfo: NO_INFO },
};

export const nodeRules: KindRules = {
  admit: (node) => ({
    ...node,
    spec: node['spec'] ?? {},
    ...(isObject(node['status']) ? { status: completeStatus(node['status']) } : {}),
  }),
  create: (node) => ({ ...node, status: completeStatus({}) }),
};

function completeStatus(status: JsonObject): JsonObject {
  const { nodeInfo } = status;
  return {
    daemonEndpoints: { kubeletEndpoint: { Port: 0 } },
    ...status,
    nodeInfo: { ...NO_INFO, ...(isObject(nodeInfo) ? nodeInfo : {}) },
  };
}

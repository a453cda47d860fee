import { isObject, type Json, type JsonObject } from '../json.js';

/** What the API server fills into a pod: SetDefaults_* of k8s.io/kubernetes/pkg/apis/core/v1. */
export function defaultPodSpec(spec: JsonObject): JsonObject {
  const lists = {
    ...each(spec, 'initContainers', defaultContainer),
    ...each(spec, 'containers', defaultContainer),
    ...each(spec, 'volumes', defaultVolume),
  };
  return {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    schedulerName: 'default-scheduler',
    securityContext: {},
    enableServiceLinks: true,
    ...spec,
    ...lists,
    ...hostPorts(spec, lists['containers']),
  };
}

/** What admission adds: a pod outlives the loss of its node for five minutes, and has a priority. */
export function admittedPodSpec(spec: JsonObject): JsonObject {
  const tolerations = Array.isArray(spec['tolerations']) ? spec['tolerations'] : [];
  const missing = ['not-ready', 'unreachable']
    .map((name) => `node.kubernetes.io/${name}`)
    .filter(
      (key) => !tolerations.some((one) => isObject(one) && (one['key'] === key || one['key'] === undefined)),
    );
  const added = missing.map((key) => ({
    key,
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds: 300,
  }));
  const all = [...tolerations, ...added];
  return {
    priority: 0,
    preemptionPolicy: 'PreemptLowerPriority',
    ...spec,
    ...(all.length === 0 ? {} : { tolerations: all }),
  };
}

function each(spec: JsonObject, field: string, fill: (item: JsonObject) => JsonObject): JsonObject {
  const list = spec[field];
  return Array.isArray(list) ? { [field]: list.map((item) => (isObject(item) ? fill(item) : item)) } : {};
}

function defaultContainer(container: JsonObject): JsonObject {
  const probes = ['livenessProbe', 'readinessProbe', 'startupProbe'].flatMap((field) => {
    const probe = container[field];
    return isObject(probe) ? [[field, defaultProbe(probe)] as const] : [];
  });
  return {
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: pullPolicy(String(container['image'] ?? '')),
    resources: {},
    ...container,
    ...each(container, 'ports', (port) => ({ protocol: 'TCP', ...port })),
    ...each(container, 'env', defaultVariable),
    ...Object.fromEntries(probes),
  };
}

/** An image without a tag, or with `latest`, is asked for again at each start. */
function pullPolicy(image: string): string {
  const name = image.slice(image.lastIndexOf('/') + 1);
  const tagged = image.includes('@') || (name.includes(':') && !name.endsWith(':latest'));
  return tagged ? 'IfNotPresent' : 'Always';
}

function defaultProbe(probe: JsonObject): JsonObject {
  const { httpGet } = probe;
  return {
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
    ...probe,
    ...(isObject(httpGet) ? { httpGet: { path: '/', scheme: 'HTTP', ...httpGet } } : {}),
  };
}

function defaultVariable(variable: JsonObject): JsonObject {
  const { valueFrom } = variable;
  if (!isObject(valueFrom) || !isObject(valueFrom['fieldRef'])) return variable;
  return {
    ...variable,
    valueFrom: { ...valueFrom, fieldRef: { apiVersion: 'v1', ...valueFrom['fieldRef'] } },
  };
}

const FILE_MODE = 0o644;

function defaultVolume(volume: JsonObject): JsonObject {
  const sources = ['secret', 'configMap', 'downwardAPI', 'projected'].flatMap((field) => {
    const source = volume[field];
    return isObject(source) ? [[field, { defaultMode: FILE_MODE, ...source }] as const] : [];
  });
  const { hostPath } = volume;
  return {
    ...volume,
    ...Object.fromEntries(sources),
    ...(isObject(hostPath) ? { hostPath: { type: '', ...hostPath } } : {}),
  };
}

/** With the host's network, each port of a container is one of the host's. */
function hostPorts(spec: JsonObject, containers: Json | undefined): JsonObject {
  if (spec['hostNetwork'] !== true || !Array.isArray(containers)) return {};
  const withPorts = containers.map((container) =>
    isObject(container)
      ? {
          ...container,
          ...each(container, 'ports', (port) => ({ hostPort: port['containerPort'] ?? 0, ...port })),
        }
      : container,
  );
  return { containers: withPorts };
}

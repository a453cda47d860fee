import type { StrategyInstance } from '@flashpod/crds';
import { sidecarGraceSeconds, sidecarHttpPort } from '../api/defaults.js';
import { annotations, contentHash, hostPaths, labels, managedBy, sessionFolder } from '../api/names.js';
import { apiVersion } from '../api/resources.js';
import type { Pod, PodSpec } from '../kube/pod.js';

const sessionPath = '/run/flashpod/session';
const tokenPath = '/etc/flashpod/token';

/**
 * The pod of an instance: the sidecar with its strategy, the socket of its core and its token. `image` is that of the
 * sidecar with the built-in strategies.
 */
export function strategyPod(instance: StrategyInstance, image: string): Pod {
  const { name, namespace = 'default', uid = '' } = instance.metadata;
  const { spec } = instance;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      labels: {
        [labels.managedBy]: managedBy,
        [labels.component]: 'strategy',
        [labels.strategy]: spec.strategyRef.name,
        [labels.core]: spec.coreRef.name,
      },
      annotations: { [annotations.podHash]: podHash(instance) },
      ownerReferences: [
        { apiVersion, kind: 'StrategyInstance', name, uid, controller: true, blockOwnerDeletion: true },
      ],
    },
    spec: podSpec(instance, namespace, image),
  };
}

/** Covers what runs, not how this version of the operator packs it: another version adopts running pods as they are. */
export function podHash({ spec }: StrategyInstance): string {
  return contentHash({ runs: spec.runsHash, core: spec.coreRef.name, token: spec.tokenSha256 });
}

function podSpec({ metadata, spec }: StrategyInstance, namespace: string, image: string): PodSpec {
  const { name } = metadata;
  const { run } = hostPaths(namespace, spec.coreRef.name);
  // Requests equal limits: the pod is Guaranteed and never the first to be throttled or evicted.
  const resources = { cpu: '500m', memory: '256Mi' };
  return {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: sidecarGraceSeconds,
    automountServiceAccountToken: false,
    // The socket lies on the core's node.
    affinity: {
      podAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          {
            topologyKey: 'kubernetes.io/hostname',
            labelSelector: { matchLabels: { [labels.component]: 'core', [labels.core]: spec.coreRef.name } },
          },
        ],
      },
    },
    containers: [
      {
        name: 'strategy',
        image: spec.image ?? image,
        args: ['--strategy', spec.strategy],
        env: [
          { name: 'FLASHPOD_INSTANCE', value: name },
          { name: 'FLASHPOD_SOCKET', value: `${sessionPath}/core.sock` },
          { name: 'FLASHPOD_TOKEN_FILE', value: `${tokenPath}/token` },
          { name: 'FLASHPOD_HTTP_PORT', value: String(sidecarHttpPort) },
          { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
          { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        ],
        ports: [{ name: 'http', containerPort: sidecarHttpPort }],
        volumeMounts: [
          { name: 'session', mountPath: sessionPath, readOnly: true },
          { name: 'token', mountPath: tokenPath, readOnly: true },
        ],
        resources: { requests: resources, limits: resources },
        readinessProbe: {
          httpGet: { path: '/readyz', port: sidecarHttpPort },
          periodSeconds: 1,
          failureThreshold: 3,
        },
        livenessProbe: {
          httpGet: { path: '/healthz', port: sidecarHttpPort },
          periodSeconds: 5,
          failureThreshold: 6,
        },
      },
    ],
    volumes: [
      { name: 'session', hostPath: { path: sessionFolder(run, name), type: 'DirectoryOrCreate' } },
      { name: 'token', secret: { secretName: spec.tokenSecretRef.name, defaultMode: 0o400 } },
    ],
  };
}

import type { ExecutionCore, TradingAccount } from '@flashpod/crds';
import { secretOf } from '../account/twin.js';
import { agentServiceAccount, coreGraceSeconds, type Images } from '../api/defaults.js';
import {
  annotations,
  contentHash,
  coreConfigName,
  corePodName,
  hostPaths,
  labels,
  managedBy,
} from '../api/names.js';
import { apiVersion } from '../api/resources.js';
import type { Container, Pod, Volume, VolumeMount } from '../kube/pod.js';
import { coreConfig } from './config.js';

const paths = {
  config: '/etc/flashpod/config',
  credentials: '/etc/flashpod/credentials',
  ca: '/etc/flashpod/ca',
  state: '/var/lib/flashpod/core',
  run: '/run/flashpod/core',
} as const;
export const configKey = 'core.json';

/** The certificate authority of the core's simulated exchanges; a core takes one. */
export function caOf(accounts: readonly TradingAccount[]): { name: string; key: string } | undefined {
  return accounts.map(({ spec }) => spec.endpoints?.caConfigMapRef).find((ref) => ref !== undefined);
}

/** Accounts that have keys, by their names and Secrets. */
function withKeys(accounts: readonly TradingAccount[]): { name: string; secretName: string }[] {
  return accounts.flatMap((account) => {
    const secretName = secretOf(account);
    return secretName === undefined ? [] : [{ name: account.metadata.name, secretName }];
  });
}

/** Covers what runs, not the default image: another version of the operator adopts running cores as they are. */
export function corePodHash(core: ExecutionCore, accounts: readonly TradingAccount[]): string {
  const { image, cpus, metricsPort, placement } = core.spec;
  const secrets = accounts.map(secretOf);
  return contentHash({
    config: coreConfig(core, accounts),
    ca: caOf(accounts),
    secrets,
    image,
    cpus,
    metricsPort,
    placement,
  });
}

/** The pod of a core: the core itself, and its agent as a native sidecar, which outlives it at a stop. */
export function corePod(core: ExecutionCore, accounts: readonly TradingAccount[], images: Images): Pod {
  const { name, namespace = 'default', uid = '' } = core.metadata;
  const nodeSelector = core.spec.placement?.nodeSelector;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: corePodName(name),
      namespace,
      labels: { [labels.managedBy]: managedBy, [labels.component]: 'core', [labels.core]: name },
      annotations: { [annotations.podHash]: corePodHash(core, accounts) },
      ownerReferences: [
        { apiVersion, kind: 'ExecutionCore', name, uid, controller: true, blockOwnerDeletion: true },
      ],
    },
    spec: {
      hostNetwork: true,
      dnsPolicy: 'ClusterFirstWithHostNet',
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: coreGraceSeconds,
      serviceAccountName: agentServiceAccount,
      ...(nodeSelector === undefined ? {} : { nodeSelector }),
      initContainers: [agentContainer(name, namespace, images.agent)],
      containers: [coreContainer(core, accounts, core.spec.image ?? images.core)],
      volumes: volumes(core, accounts),
    },
  };
}

function agentContainer(core: string, namespace: string, image: string): Container {
  const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  const resources = { cpu: '100m', memory: '192Mi' };
  return {
    name: 'agent',
    image,
    restartPolicy: 'Always',
    args: ['--core', core, '--namespace', namespace, '--socket', `${paths.run}/agent/agent.sock`],
    env: [
      field('POD_NAME', 'metadata.name'),
      field('POD_NAMESPACE', 'metadata.namespace'),
      field('POD_UID', 'metadata.uid'),
      field('NODE_NAME', 'spec.nodeName'),
    ],
    volumeMounts: [{ name: 'run', mountPath: paths.run }],
    resources: { requests: resources, limits: resources },
  };
}

function coreContainer(
  { spec }: ExecutionCore,
  accounts: readonly TradingAccount[],
  image: string,
): Container {
  const ca = caOf(accounts);
  // A whole number of CPUs, requests equal to limits: exclusive ones where the kubelet's policy is static.
  const resources = { cpu: String(spec.cpus), memory: '512Mi' };
  const mounts: VolumeMount[] = [
    { name: 'config', mountPath: paths.config, readOnly: true },
    ...withKeys(accounts).map(({ name }) => ({
      name: `credentials-${name}`,
      mountPath: `${paths.credentials}/${name}`,
      readOnly: true,
    })),
    ...(ca === undefined ? [] : [{ name: 'ca', mountPath: paths.ca, readOnly: true }]),
    { name: 'state', mountPath: paths.state },
    { name: 'run', mountPath: paths.run },
  ];
  return {
    name: 'core',
    image,
    args: [
      'run',
      ...['--config', `${paths.config}/${configKey}`],
      ...['--state-dir', paths.state],
      ...['--socket-dir', paths.run],
      ...['--credentials-dir', paths.credentials],
      ...(ca === undefined ? [] : ['--ca-file', `${paths.ca}/${ca.key}`]),
      // A chosen port stays on the loopback; a fixed one is there to be scraped.
      ...['--metrics', spec.metricsPort === 0 ? '127.0.0.1:0' : `0.0.0.0:${spec.metricsPort}`],
    ],
    volumeMounts: mounts,
    resources: { requests: resources, limits: resources },
    // Its last line says why it ended.
    terminationMessagePolicy: 'FallbackToLogsOnError',
  };
}

function volumes(core: ExecutionCore, accounts: readonly TradingAccount[]): Volume[] {
  const { name, namespace = 'default' } = core.metadata;
  const host = hostPaths(namespace, name);
  const ca = caOf(accounts);
  return [
    { name: 'config', configMap: { name: coreConfigName(name) } },
    ...withKeys(accounts).map(({ name, secretName }) => ({
      name: `credentials-${name}`,
      secret: { secretName, defaultMode: 0o400 },
    })),
    ...(ca === undefined ? [] : [{ name: 'ca', configMap: { name: ca.name } }]),
    { name: 'state', hostPath: { path: host.state, type: 'DirectoryOrCreate' } },
    { name: 'run', hostPath: { path: host.run, type: 'DirectoryOrCreate' } },
  ];
}

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Container, Pod } from '../../kube/pod.js';
import type { Stored } from '../../kube/types.js';
import { HOST_IP } from './addresses.js';
import { environmentOf, expand } from './environment.js';
import { commandOf } from './images.js';
import type { NodeServices } from './node-services.js';
import type { PodVolumes } from './volumes.js';

/** How to start a container. */
export interface LaunchPlan {
  readonly argv: readonly [string, ...string[]];
  readonly env: Record<string, string>;
  readonly cwd: string;
  readonly logFile: string;
}

export interface LaunchedPod {
  readonly pod: Stored<Pod>;
  readonly podIP: string;
  readonly directory: string;
  readonly volumes: PodVolumes;
}

/** Command, environment and places of a container, with its paths made those of this machine. */
export async function planLaunch(
  { pod, podIP, directory, volumes }: LaunchedPod,
  container: Container,
  node: NodeServices,
): Promise<LaunchPlan> {
  const { namespace = '', name } = pod.metadata;
  const command = commandOf(node.images, container.image);
  const mounts = await volumes.mount(container);
  const declared = environmentOf(pod, container, {
    podIP,
    hostIP: HOST_IP,
    nodeName: node.nodeName,
    secret: (secret) => texts(node.sources.secret(namespace, secret)),
    configMap: (configMap) => texts(node.sources.configMap(namespace, configMap)),
  });
  const args = (container.args ?? []).map((arg) => mounts.text(expand(arg, declared)));
  const env = Object.fromEntries(
    Object.entries(declared).map(([variable, value]) => [variable, mounts.text(value)]),
  );
  const logs = join(node.logsDir, `${namespace}_${name}`);
  await mkdir(logs, { recursive: true, mode: 0o700 });
  return {
    argv: [...command, ...args],
    env: { ...baseEnv(pod, directory, node), ...env },
    cwd: container.workingDir === undefined ? directory : mounts.path(container.workingDir),
    logFile: join(logs, `${container.name}.log`),
  };
}

/** Of our own environment only what any process needs: a container sees nothing of the machine around it. */
function baseEnv(pod: Stored<Pod>, directory: string, node: NodeServices): Record<string, string> {
  const kept = ['PATH', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(kept),
    HOME: directory,
    HOSTNAME: pod.metadata.name,
    // What the mounted token of a service account is in a cluster.
    ...(pod.spec?.serviceAccountName === undefined ? {} : { KUBECONFIG: node.kubeconfigPath }),
  };
}

function texts(data: Readonly<Record<string, Buffer>> | undefined): Record<string, string> | undefined {
  return (
    data && Object.fromEntries(Object.entries(data).map(([key, value]) => [key, value.toString('utf8')]))
  );
}

import type { KubeClient } from '../../kube/client.js';
import type { Pod, Volume } from '../../kube/pod.js';
import { Reflector } from '../../kube/reflector.js';
import { type ConfigMap, ConfigMaps, type Secret, Secrets } from '../../kube/resources.js';

/** Secrets and ConfigMaps as the node sees them, kept up to date by watches. */
export class Sources {
  readonly #secrets: Reflector<Secret>;
  readonly #configMaps: Reflector<ConfigMap>;

  constructor(client: KubeClient, onError: (error: unknown) => void) {
    this.#secrets = new Reflector(client.of(Secrets), { onError });
    this.#configMaps = new Reflector(client.of(ConfigMaps), { onError });
  }

  async start(): Promise<void> {
    this.#secrets.start();
    this.#configMaps.start();
    await Promise.all([this.#secrets.synced, this.#configMaps.synced]);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#secrets.stop(), this.#configMaps.stop()]);
  }

  /** Told with namespace and name of what changed. */
  onChange(handler: (kind: 'secret' | 'configMap', namespace: string, name: string) => void): void {
    this.#secrets.onChange(({ object }) =>
      handler('secret', object.metadata.namespace ?? '', object.metadata.name),
    );
    this.#configMaps.onChange(({ object }) =>
      handler('configMap', object.metadata.namespace ?? '', object.metadata.name),
    );
  }

  secret(namespace: string, name: string): Record<string, Buffer> | undefined {
    const data = this.#secrets.store.get({ namespace, name });
    return data === undefined ? undefined : decode(data.data, 'base64');
  }

  configMap(namespace: string, name: string): Record<string, Buffer> | undefined {
    const map = this.#configMaps.store.get({ namespace, name });
    return map === undefined
      ? undefined
      : { ...decode(map.data, 'utf8'), ...decode(map.binaryData, 'base64') };
  }
}

function decode(
  data: Record<string, string> | undefined,
  encoding: 'base64' | 'utf8',
): Record<string, Buffer> {
  return Object.fromEntries(
    Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, encoding)]),
  );
}

/** Whether a change of this object concerns the pod. */
export function mentions(pod: Pod, kind: 'secret' | 'configMap', name: string): boolean {
  return (pod.spec?.volumes ?? []).some((volume: Volume) =>
    kind === 'secret' ? volume.secret?.secretName === name : volume.configMap?.name === name,
  );
}

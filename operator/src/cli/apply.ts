import { setTimeout as delay } from 'node:timers/promises';
import type { Condition, TradingAccount, TradingStrategy } from '@flashpod/crds';
import { FlashpodError } from '../errors.js';
import { isConflict, type KubeClient, type KubeObject, type Stored } from '../kube/index.js';
import { resourceOf, resourceOfManifest } from './kinds.js';
import type { Manifest } from './manifests.js';

export interface Applied {
  readonly object: Stored<KubeObject & Partial<Manifest>>;
  readonly outcome: 'created' | 'configured' | 'unchanged';
}

const attempts = 5;
const pollMs = 50;
/** A field that the kind does not have is a mistake to be told of, not to be dropped. */
const strict = { fieldValidation: 'Strict' } as const;

/** What a manifest says, put over what is stored: labels and annotations merged, everything else replaced. */
export function withManifest(stored: Stored<KubeObject>, manifest: Manifest): KubeObject {
  const { metadata, status: _, ...body } = { status: undefined, ...manifest };
  return {
    ...body,
    metadata: {
      ...stored.metadata,
      // Empty ones would be a change, and the object not what it was.
      ...(metadata.labels && { labels: { ...stored.metadata.labels, ...metadata.labels } }),
      ...(metadata.annotations && {
        annotations: { ...stored.metadata.annotations, ...metadata.annotations },
      }),
    },
  };
}

/** Creates the object, or makes the stored one say what the manifest says. */
export async function applyManifest(
  client: KubeClient,
  manifest: Manifest,
  namespace: string,
): Promise<Applied> {
  const resource = resourceOfManifest(manifest.apiVersion, manifest.kind);
  const api = client.of(resource);
  const key = resource.namespaced
    ? { namespace: manifest.metadata.namespace ?? namespace, name: manifest.metadata.name }
    : { name: manifest.metadata.name };
  for (let attempt = 1; ; attempt += 1) {
    const stored = await api.find(key);
    if (!stored) {
      const object = await api.create({ ...manifest, metadata: { ...manifest.metadata, ...key } }, strict);
      return { object: object as Applied['object'], outcome: 'created' };
    }
    try {
      const object = await api.replace(withManifest(stored, manifest), strict);
      const same = object.metadata.resourceVersion === stored.metadata.resourceVersion;
      return { object: object as Applied['object'], outcome: same ? 'unchanged' : 'configured' };
    } catch (error) {
      // Somebody wrote in between (the operator its finalizer, say): read again.
      if (!isConflict(error) || attempt === attempts) throw error;
    }
  }
}

/** Kinds that the operator accepts or refuses by what else there is. */
const judged = ['TradingStrategy', 'TradingAccount'] as const;

function accepted({ status }: TradingStrategy | TradingAccount, generation: number): Condition | undefined {
  const condition = status?.conditions?.find(({ type }) => type === 'Accepted');
  return (condition?.observedGeneration ?? 0) >= generation ? condition : undefined;
}

/** Waits until the operator has judged this generation of the object, if it judges the kind; throws its reason when it refused. */
export async function waitAccepted(
  client: KubeClient,
  object: Stored<KubeObject>,
  withinMs: number,
): Promise<void> {
  const { name, namespace = 'default', generation = 1 } = object.metadata;
  const kind = judged.find((candidate) => candidate === object.kind);
  if (kind === undefined) return;
  const api = client.of<TradingStrategy | TradingAccount>(resourceOf(kind));
  const until = Date.now() + withinMs;
  for (;;) {
    const condition = accepted(await api.get({ name, namespace }), generation);
    if (condition?.status === 'True') return;
    if (condition?.status === 'False') {
      throw new FlashpodError('cli.not-accepted', `${kind} "${name}" is not accepted: ${condition.message}`);
    }
    if (Date.now() >= until) {
      throw new FlashpodError(
        'cli.not-accepted',
        `${kind} "${name}" was stored, but no operator has judged it within ${withinMs / 1_000} s`,
        { remedy: 'Check that the operator runs; the object stays and will be judged when it does.' },
      );
    }
    await delay(pollMs);
  }
}

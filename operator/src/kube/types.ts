/** The shapes every Kubernetes object has in common, as they travel in JSON. */

import type { ObjectMeta } from '@flashpod/crds/object';

export type { ObjectMeta, OwnerReference } from '@flashpod/crds/object';

export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata?: ObjectMeta;
}

/** An object as the server returned it: named, versioned, with an identity. */
export type Stored<T extends KubeObject> = T & {
  readonly metadata: ObjectMeta & {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
  };
};

/** `namespace` is absent for cluster-scoped kinds. */
export interface ObjectKey {
  readonly namespace?: string;
  readonly name: string;
}

export interface KubeList<T extends KubeObject> {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly items: Stored<T>[];
}

/** metav1.Condition. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
}

export interface StatusCause {
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}

/** metav1.Status: the body of every refusal. */
export interface KubeStatus {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly metadata?: Record<string, never>;
  readonly status?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: {
    readonly name?: string;
    readonly group?: string;
    readonly kind?: string;
    readonly uid?: string;
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly StatusCause[];
  };
}

export type WatchEvent<T extends KubeObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: Stored<T> }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

/** `namespace/name`, or `name` for cluster-scoped objects: the key of stores and work queues. */
export function keyOf(object: KubeObject): string {
  const { namespace, name } = object.metadata ?? {};
  return joinKey(namespace === undefined ? { name: name ?? '' } : { namespace, name: name ?? '' });
}

export function joinKey(key: ObjectKey): string {
  return key.namespace === undefined ? key.name : `${key.namespace}/${key.name}`;
}

export function splitKey(key: string): ObjectKey {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

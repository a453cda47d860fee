// The part of every Kubernetes object that Flashpod reads, as it travels in JSON. Nothing of trading: the generic
// Kubernetes layer of the operator takes it from here too.

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

export interface ObjectMeta {
  name?: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  /** Opaque: compare for equality only. */
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
}

/** What each kind of the Flashpod API has in common. */
export interface ObjectBase {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta & { name: string };
}

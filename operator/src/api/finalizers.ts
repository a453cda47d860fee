import {
  isConflict,
  isNotFound,
  type KubeObject,
  type MergePatch,
  type ResourceClient,
} from '../kube/index.js';

const attempts = 5;

/**
 * Adds or removes one finalizer of the object with this uid. Reads before it writes: a finalizer list made from a
 * stale copy would undo what another controller holds. True when something was written.
 */
export async function setFinalizer<T extends KubeObject>(
  client: ResourceClient<T>,
  { namespace, name, uid }: { namespace: string; name: string; uid?: string | undefined },
  finalizer: string,
  held: boolean,
): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    const object = await client.find({ namespace, name });
    if (object === undefined || (uid !== undefined && object.metadata.uid !== uid)) return false;
    const before = object.metadata.finalizers ?? [];
    if (before.includes(finalizer) === held) return false;
    // Kubernetes refuses new finalizers on an object that is being deleted.
    if (held && object.metadata.deletionTimestamp !== undefined) return false;
    const finalizers = held ? [...before, finalizer] : before.filter((entry) => entry !== finalizer);
    const metadata = { resourceVersion: object.metadata.resourceVersion, finalizers };
    try {
      await client.mergePatch({ namespace, name }, { metadata } as unknown as MergePatch<T>);
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      if (!isConflict(error) || attempt === attempts) throw error;
    }
  }
}

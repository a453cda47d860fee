import {
  isConflict,
  isNotFound,
  type KubeObject,
  type MergePatch,
  type ResourceClient,
  type Stored,
} from '../kube/index.js';
import { mergePatchOf } from './merge-patch.js';

const attempts = 5;

/**
 * Changes the status of an object that others write too: `change` gives the whole new status, and it is asked again
 * with a fresh copy when somebody wrote in between. Undefined when the object is gone.
 */
export async function updateStatus<T extends KubeObject & { status?: unknown }>(
  client: ResourceClient<T>,
  object: Stored<T>,
  change: (object: Stored<T>) => T['status'],
): Promise<Stored<T> | undefined> {
  const { namespace = 'default', name, uid } = object.metadata;
  let current: Stored<T> | undefined = object;
  for (let attempt = 1; ; attempt++) {
    const status = mergePatchOf(current.status, change(current));
    if (status === undefined) return current;
    const { resourceVersion } = current.metadata;
    try {
      const patch = { metadata: { resourceVersion }, status } as unknown as MergePatch<T>;
      return await client.mergePatchStatus({ namespace, name }, patch);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      if (!isConflict(error) || attempt === attempts) throw error;
      current = await client.find({ namespace, name });
      if (current === undefined || current.metadata.uid !== uid) return undefined;
    }
  }
}

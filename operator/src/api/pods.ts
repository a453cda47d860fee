import {
  isAlreadyExists,
  isConflict,
  isNotFound,
  type KubeClient,
  type ObjectKey,
  type Pod,
  Pods,
} from '../kube/index.js';

/** False when there is a pod of that name already: names are deterministic, so it is ours. */
export async function createPod(client: KubeClient, pod: Pod): Promise<boolean> {
  try {
    await client.of(Pods).create(pod);
    return true;
  } catch (error) {
    if (isAlreadyExists(error)) return false;
    throw error;
  }
}

/** Deletes this very pod. False when it is gone, or another one has its name by now. */
export async function deletePod(client: KubeClient, key: ObjectKey, uid: string): Promise<boolean> {
  try {
    await client.of(Pods).delete(key, { uid });
    return true;
  } catch (error) {
    if (isNotFound(error) || isConflict(error)) return false;
    throw error;
  }
}

import { sleep } from '../../kube/clock.js';
import { isConflict, isNotFound } from '../../kube/errors.js';
import type { Pod, PodStatus } from '../../kube/pod.js';
import type { Stored } from '../../kube/types.js';
import type { NodeServices } from './node-services.js';

const RETRY_MS = 500;
const MAX_ATTEMPTS = 20;

/** Writes the status of one pod: one write at a time, always of the newest state. */
export class StatusWriter {
  readonly #node: NodeServices;
  readonly #read: () => { pod: Stored<Pod>; status: PodStatus };
  readonly #written: (pod: Stored<Pod>) => void;
  #dirty = false;
  #writing: Promise<void> | undefined;

  constructor(
    node: NodeServices,
    read: () => { pod: Stored<Pod>; status: PodStatus },
    written: (pod: Stored<Pod>) => void,
  ) {
    this.#node = node;
    this.#read = read;
    this.#written = written;
  }

  changed(): void {
    this.#dirty = true;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Resolves when the state of now is written. */
  async flush(): Promise<void> {
    this.changed();
    await this.#writing;
  }

  async #write(): Promise<void> {
    while (this.#dirty) {
      this.#dirty = false;
      const { pod, status } = this.#read();
      const { namespace = '', name, uid } = pod.metadata;
      await untilDone(this.#node, `writing the status of pod ${name}`, async () => {
        this.#written(
          await this.#node.pods.mergePatchStatus({ namespace, name }, { metadata: { uid }, status }),
        );
      });
    }
  }
}

/** Repeats until it works, the pod is gone or replaced (then there is nobody to tell), or the node ends. */
export async function untilDone(
  node: NodeServices,
  doing: string,
  write: () => Promise<void>,
): Promise<void> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    try {
      await write();
      return;
    } catch (error) {
      if (isNotFound(error) || isConflict(error)) return;
      node.onError(error, doing);
      if (node.closing.aborted) return;
      await sleep(node.clock, RETRY_MS, node.closing);
    }
  }
}

import type { ResourceClient } from '../../kube/client.js';
import type { Clock } from '../../kube/clock.js';
import type { Pod } from '../../kube/pod.js';
import type { ImageMap } from './images.js';
import type { Reaper } from './reaper.js';
import type { Sources } from './sources.js';

/** What a pod needs of the node it runs on. */
export interface NodeServices {
  readonly pods: ResourceClient<Pod>;
  readonly clock: Clock;
  readonly reaper: Reaper;
  readonly sources: Sources;
  readonly images: ImageMap;
  readonly nodeName: string;
  readonly root: string;
  readonly logsDir: string;
  readonly kubeconfigPath: string;
  readonly maxBackoffMs: number;
  /** Aborted when the node ends: what cannot be written at once is not tried again. */
  readonly closing: AbortSignal;
  event(pod: Pod, type: 'Normal' | 'Warning', reason: string, note: string): void;
  /** Told of what went wrong and is tried again. */
  onError(error: unknown, doing: string): void;
}

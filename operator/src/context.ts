import type { Logger } from 'pino';
import type { Caches, EventReason, Images } from './api/index.js';
import type { ConfigMap, EventRecorder, KubeClient, KubeMetrics, Pod, Reflector } from './kube/index.js';

/** What the operator's controllers share. */
export interface Context {
  readonly client: KubeClient;
  readonly caches: Caches;
  /** Pods that we manage. */
  readonly pods: Reflector<Pod>;
  /** Schemas of the parameters of strategies that have an image of their own. */
  readonly schemas: Reflector<ConfigMap>;
  readonly events: EventRecorder<EventReason>;
  readonly metrics: KubeMetrics;
  readonly log: Logger;
  readonly images: Images;
  /** Asked before each write: a former leader must not act. */
  readonly mayWrite: () => boolean;
}

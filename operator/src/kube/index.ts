/** The generic Kubernetes layer. It knows nothing of trading. */
export * from './backoff.js';
export * from './client.js';
export * from './clock.js';
export * from './conditions.js';
export { type Connection, connectionOf, loadConnection } from './connection.js';
export * from './controller.js';
export * from './errors.js';
export * from './events.js';
export { KubeHttp, type KubeHttpOptions, type KubeRequest } from './http.js';
export * from './leader.js';
export * from './lease.js';
export * from './metrics.js';
export * from './pod.js';
export * from './reflector.js';
export * from './resources.js';
export * from './store.js';
export * from './types.js';
export * from './workqueue.js';

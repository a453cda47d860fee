// The API as operator and agent use it.

export { Caches } from './caches.js';
export * as decimal from './decimal.js';
export * from './defaults.js';
export { setFinalizer } from './finalizers.js';
export { mergePatchOf } from './merge-patch.js';
export * from './names.js';
export * from './reasons.js';
export * from './resources.js';
export { StaleError } from './stale.js';
export { updateStatus } from './status.js';

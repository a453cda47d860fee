/** Stops a pass: the cache is behind what is stored, so the plan may be wrong. The queue tries again. */
export class StaleError extends Error {}

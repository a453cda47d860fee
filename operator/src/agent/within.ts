import { type Clock, sleep } from '../kube/index.js';

/** Waits for `work`, but no longer than `ms`; leaves no timer behind that would keep the process. */
export async function within(clock: Clock, ms: number, work: Promise<unknown>): Promise<void> {
  const done = new AbortController();
  await Promise.race([work, sleep(clock, ms, done.signal)]);
  done.abort();
}

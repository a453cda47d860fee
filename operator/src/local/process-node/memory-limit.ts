import { readFile } from 'node:fs/promises';
import { type Clock, sleep } from '../../kube/clock.js';
import type { Container } from '../../kube/pod.js';
import { Quantity } from '../api-server/cel/quantity.js';

const EVERY_MS = 1_000;
const NANOS_PER_KIB = 1024n * 1_000_000_000n;

/**
 * Resolves once the process has taken more memory than its container may, and with undefined when `signal` is aborted
 * first or there is no limit. What counts is anonymous memory: of the rest, files and mappings, a kernel takes back
 * what it needs. Where there is no /proc nothing is watched.
 */
export async function untilOverLimit(
  pid: number,
  container: Container,
  clock: Clock,
  signal: AbortSignal,
): Promise<string | undefined> {
  const text = container.resources?.limits?.['memory'];
  const limit = text === undefined ? undefined : Quantity.parse(text);
  if (limit === undefined) return undefined;
  while (!signal.aborted) {
    const taken = await anonymousKib(pid);
    if (taken === undefined) return undefined;
    if (taken * NANOS_PER_KIB > limit.nanos) return `it took ${taken} KiB of memory, its limit is ${text}`;
    await sleep(clock, EVERY_MS, signal);
  }
  return undefined;
}

async function anonymousKib(pid: number): Promise<bigint | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kib = /^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1];
  return kib === undefined ? undefined : BigInt(kib);
}

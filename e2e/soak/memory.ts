// What a process holds, and whether that grows.

import { readFileSync } from 'node:fs';

export interface Memory {
  /** Resident, all of it: with the pages of mapped files, which the kernel takes back when it needs them. */
  readonly rssKb: number;
  /** Resident and its own. */
  readonly anonymousKb: number;
}

/** Undefined: there is no such process. */
export function memoryOf(pid: number | undefined): Memory | undefined {
  if (pid === undefined) return undefined;
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const field = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]);
    return { rssKb: field('VmRSS'), anonymousKb: field('RssAnon') };
  } catch {
    return undefined;
  }
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** How much the second half of the samples is above the first half, by their medians. */
export function growth(samples: readonly number[]): number {
  const middle = Math.floor(samples.length / 2);
  return median(samples.slice(middle)) - median(samples.slice(0, middle));
}

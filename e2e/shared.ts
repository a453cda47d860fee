import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const checkout = fileURLToPath(new URL('../', import.meta.url));

/** A file of the recorded markets beside the checkout. */
export function recording(path: string): string {
  const shared = process.env['FLASHPOD_SHARED'] ?? join(checkout, '..', 'shared');
  const file = join(shared, 'data', path);
  if (!existsSync(file)) {
    throw new Error(
      `this test replays ${file}, which is missing: set FLASHPOD_SHARED to the folder of recorded markets`,
    );
  }
  return file;
}

/** Asks again and again until there is an answer; fails with what was waited for. */
export async function until<T>(
  what: string,
  withinMs: number,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const end = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() >= end) throw new Error(`waited ${withinMs} ms in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

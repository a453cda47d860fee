// Loads the addon, once. Its types are generated from the Rust sources.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Binding } from './binding.generated.js';
import { nativeError } from './errors.js';

export type * from './binding.generated.js';

/** Beside the built JavaScript; a benchmark may name another build of it. */
const file =
  process.env['FLASHPOD_NATIVE_ADDON'] ?? fileURLToPath(new URL('../dist/flashpod.node', import.meta.url));

function load(): Binding {
  if (!existsSync(file)) {
    throw nativeError('NOT_BUILT', `the addon ${file} is not there: run \`npm run build\``);
  }
  try {
    return createRequire(import.meta.url)(file) as Binding;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw nativeError('NOT_BUILT', `the addon ${file} cannot be loaded: ${reason}`, { cause });
  }
}

export const binding: Binding = load();

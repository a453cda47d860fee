import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the checkout that this file was built in. */
export const checkout = fileURLToPath(new URL('../../../../', import.meta.url));

/** A binary of the core engine; FLASHPOD_BIN_DIR says where, else the release build of the checkout. */
export const binary = (name: string): string =>
  join(process.env['FLASHPOD_BIN_DIR'] ?? join(checkout, 'core-engine/target/release'), name);

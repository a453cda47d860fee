// Recorded markets beside the checkout, and states of their books that were computed without us.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { zstdDecompressSync } from 'node:zlib';

export function recording(path: string): string {
  const shared =
    process.env['FLASHPOD_SHARED'] ?? fileURLToPath(new URL('../../../../../shared', import.meta.url));
  const file = join(shared, 'data', path);
  if (!existsSync(file))
    throw new Error(`${file} is missing: set FLASHPOD_SHARED to the folder of recorded markets`);
  return file;
}

/** Rows of an `expected_book_*.csv.zst`, without its header. */
export function expectedRows(path: string): string[][] {
  const text = zstdDecompressSync(readFileSync(recording(path))).toString('utf8');
  return text
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','));
}

export const btcFiles = ['btcusdt_20240808.gz', 'btcusdt_20240809.gz'].map(
  (file) => `binance_spot_btc_eth_20240808/${file}`,
);
export const nexoFiles = ['nexousdt_20240723.dat.gz', 'nexousdt_20240724.dat.gz'].map(
  (file) => `binance_spot_nexo_20240723/${file}`,
);

// The recordings that are timed.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../parts.ts';

function files(...names: string[]): string[] {
  const folder = join(
    process.env['FLASHPOD_SHARED'] ?? join(root, '../shared'),
    'data/binance_spot_btc_eth_20240808',
  );
  return names.map((name) => {
    const file = join(folder, name);
    if (!existsSync(file))
      throw new Error(`${file} is missing: set FLASHPOD_SHARED to the folder of recorded markets`);
    return file;
  });
}

/** 10.8 minutes of BTCUSDT spot. */
export const btc = (): string[] => files('btcusdt_20240808.gz', 'btcusdt_20240809.gz');
/** The same minutes of BTCUSDT and ETHUSDT. */
export const both = (): string[] => [...btc(), ...files('ethusdt_20240808.gz', 'ethusdt_20240809.gz')];

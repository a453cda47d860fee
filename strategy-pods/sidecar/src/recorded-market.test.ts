// The default parameters on a real market: enough to do, at the right prices, within the account's order rate.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bestAsk, bestBid, type WantedQuotesOutput } from '@flashpod/sdk';
import { recorded, Stage } from '@flashpod/sdk/testing';
import { describe, expect, test } from 'vitest';
import { strategyNamed } from './registry.js';

const seconds = 120;
const folder = 'binance_spot_btc_eth_20240808';
const markets = ['btcusdt', 'ethusdt'].map((pair) => [pair.toUpperCase(), `${pair}_20240808.gz`] as const);

function recording(file: string): string {
  const shared =
    process.env['FLASHPOD_SHARED'] ?? fileURLToPath(new URL('../../../../shared', import.meta.url));
  const path = join(shared, 'data', folder, file);
  if (!existsSync(path))
    throw new Error(`recording ${path} is missing; set FLASHPOD_SHARED to the shared folder`);
  return path;
}

describe.each(markets)('%s', (_, file) => {
  test('imbalance-maker quotes at the touch or behind it, at the touch on one side at least half of the time', async () => {
    const source = await recorded(recording(file), { seconds });
    const stage = new Stage(strategyNamed('imbalance-maker'), { instruments: source.instruments });
    let [books, atTouch, changes] = [0, 0, 0];
    const kept: (number | undefined)[] = [];
    await stage.run(source, ([output], event) => {
      if (event.kind !== 'book') return;
      const { quotes, toleranceTicks } = output as WantedQuotesOutput;
      const touch = [bestBid(event.book), bestAsk(event.book)] as const;
      books += 1;
      expect(quotes).toHaveLength(2);
      expect(Number(quotes[0]?.price)).toBeLessThanOrEqual(touch[0]);
      expect(Number(quotes[1]?.price)).toBeGreaterThanOrEqual(touch[1]);
      if (quotes.some(({ slot, price }) => Number(price) === touch[slot])) atTouch += 1;
      for (const { slot, price } of quotes) {
        const rests = kept[slot];
        if (rests !== undefined && Math.abs(rests - Number(price)) <= toleranceTicks * 0.01 + 1e-9) continue;
        kept[slot] = Number(price);
        changes += 1;
      }
    });
    expect(atTouch / books).toBeGreaterThan(0.5);
    // Nothing fills here, so what remains is the market's own movement: enough to do, and no flood.
    expect(changes).toBeGreaterThan(100);
    expect(changes / seconds).toBeLessThan(6);
  });

  test('momentum-taker trades once in one to two seconds', async () => {
    const source = await recorded(recording(file), { seconds });
    const { instruments } = source;
    const stage = new Stage(strategyNamed('momentum-taker'), {
      instruments,
      fills: 'simulated',
      latencyMs: 1,
    });
    await stage.run(source);
    expect(stage.intents.length).toBeGreaterThan(120);
    expect(stage.intents.length).toBeLessThan(240);
  });
});

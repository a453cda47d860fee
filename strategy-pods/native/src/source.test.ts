// The addon's events against those of the SDK's kit, which reads recordings in TypeScript.

import { type AnyStrategy, bestAsk, bestBid, defineStrategy, mid, type Output } from '@flashpod/sdk';
import { type EventSource, type MarketEvent, recorded, Stage } from '@flashpod/sdk/testing';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { replayed } from './source.js';
import { btcFiles, recording } from './testing/recordings.js';

const spot = [...btcFiles.slice(0, 1), 'binance_spot_btc_eth_20240808/ethusdt_20240808.gz'].map(recording);
const futures = [recording('binance_usdm_btc_eth_20240808/btcusdt_20240808.gz')];

async function events(source: EventSource): Promise<MarketEvent[]> {
  const all: MarketEvent[] = [];
  for await (const batch of source.batches()) for (const event of batch) all.push(structuredClone(event));
  return all;
}

/** Follows the middle, so that quotes, trades and timers all show in what it wants. */
const follower: AnyStrategy = defineStrategy({
  name: 'follower',
  version: '1.0.0',
  description: 'Wants to hold a little whenever the price rose.',
  parameters: z.strictObject({}),
  timerMs: 500,
  memory: () => ({ last: 0, traded: 0 }),
  onTrade({ memory }, { trades }) {
    memory.traded += trades.reduce((sum, { quantity }) => sum + quantity, 0);
  },
  onBook(context, book) {
    const side = mid(book) > context.memory.last ? 'Buy' : 'Sell';
    context.memory.last = mid(book);
    if (context.memory.traded < 1) return;
    context.memory.traded = 0;
    const price = String(side === 'Buy' ? bestAsk(book) : bestBid(book)) as never;
    context.send({ symbol: book.symbol, side, type: 'Ioc', price, quantity: '0.001' as never });
  },
  onTimer(context) {
    for (const symbol of context.symbols) {
      const book = context.book(symbol);
      if (book === undefined) continue;
      const quote = (price: number) => ({ price: String(price) as never, quantity: '0.002' as never });
      context.quote(symbol, quote(bestBid(book)), quote(bestAsk(book)));
    }
  },
});

describe('a replayed recording', () => {
  test.each([
    ['spot, two pairs', spot, 45],
    ['futures', futures, 10],
  ])('%s: the same events as the kit reads', async (_, files, seconds) => {
    const [ours, theirs] = [
      await replayed(files, { seconds, levels: 7 }),
      await recorded(files, { seconds, levels: 7 }),
    ];
    expect(ours.instruments).toEqual(theirs.instruments);
    const [some, others] = [await events(ours), await events(theirs)];
    expect(some.length).toBeGreaterThan(300);
    expect(some).toEqual(others);
  });

  test('leads a strategy to the same decisions and fills', async () => {
    const run = async (source: EventSource) => {
      const stage = new Stage(follower, {
        instruments: source.instruments,
        fills: 'simulated',
        latencyMs: 3,
      });
      const outputs: Output[] = [];
      await stage.run(source, (all) => outputs.push(...all));
      return { outputs, positions: source.instruments.map(({ symbol }) => stage.position(symbol)) };
    };
    const [ours, theirs] = [
      await run(await replayed(spot, { seconds: 60 })),
      await run(await recorded(spot, { seconds: 60 })),
    ];
    expect(ours.outputs.length).toBeGreaterThan(100);
    expect(ours).toEqual(theirs);
  });

  test('is refused without a snapshot, as by the kit, not played as nothing', async () => {
    // The second file continues the first, which holds the snapshot.
    const alone = btcFiles.slice(1).map(recording);
    for (const source of [await replayed(alone), await recorded(alone)])
      await expect(events(source)).rejects.toMatchObject({
        code: 'BAD_RECORDING',
        message: expect.stringContaining('holds no snapshot of BTCUSDT'),
      });
  });

  test('ends when its signal does', async () => {
    const source = await replayed(spot, { signal: AbortSignal.abort() });
    await expect(events(source)).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

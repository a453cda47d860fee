import { describe, expect, test } from 'vitest';
import { Market } from './market.js';
import { EstimatedBook, type PassiveFill } from './matching.js';
import { type Batch, eventKinds, Replay } from './replay.js';
import { btcFiles, recording } from './testing/recordings.js';

const files = btcFiles.slice(0, 1).map(recording);

/** The changes of a book event as levels. */
function changesOf({ books, changes, row: rows }: Batch, event: number) {
  const row = rows[event] as number;
  const from = books.firstChange[row] as number;
  const middle = from + (books.bidChanges[row] as number);
  const end = middle + (books.askChanges[row] as number);
  const part = (a: number, b: number) => ({
    prices: changes.prices.subarray(a, b),
    quantities: changes.quantities.subarray(a, b),
  });
  return [part(from, middle), part(middle, end)] as const;
}

describe('a market', () => {
  test('fills orders as an estimated book does that is fed with the same events by hand', async () => {
    const replay = new Replay({ files, levels: 1, batchSize: 500, market: true });
    using market = new Market(replay, { queueModel: 'proportional' });
    using byHand = new EstimatedBook({ queueModel: 'proportional' });
    const fills: [PassiveFill[], PassiveFill[]] = [[], []];
    let [events, key] = [0, 0];
    for await (const batch of replay) {
      for (let event = 0; event < batch.length; event++) {
        const kind = batch.kind[event];
        const row = batch.row[event] as number;
        if (kind === eventKinds.trade) {
          const taker = batch.trades.takers[row] === 0 ? 'Buy' : 'Sell';
          const [price, quantity] = [
            batch.trades.prices[row] as number,
            batch.trades.quantities[row] as number,
          ];
          fills[1].push(...byHand.onTrade(batch.trades.timesMs[row] as number, taker, price, quantity));
        } else byHand.onDepth(batch.venueMs[event] as number, ...changesOf(batch, event));
        if (market.advance(1) > 0) fills[0].push(...market.takeFills());
        // A new bid at the touch now and then; the former one goes.
        if (kind === eventKinds.book && ++events % 200 === 0) {
          expect(market.cancel(key)).toBe(byHand.cancel(key));
          const price = String(batch.books.bidPrices[row]);
          const order = { key: ++key, side: 'Buy', type: 'LimitMaker', price, quantity: '0.01' } as const;
          expect(market.place(0, order)).toEqual(byHand.place(order));
          expect(market.aheadOf(key)).toBe(byHand.aheadOf(key));
        }
      }
    }
    expect(fills[0].length).toBeGreaterThan(3);
    expect(fills[0]).toEqual(fills[1]);
  });

  test('comes to the same when it catches up late', async () => {
    const run = async (late: boolean) => {
      const replay = new Replay({ files, levels: 1, market: true });
      using market = new Market(replay);
      const first = await replay.read();
      if (first === undefined) throw new Error('no batch');
      market.advance(1_000);
      market.place(0, { key: 1, side: 'Buy', type: 'Limit', price: '61830', quantity: '1' });
      if (late) market.advance(first.length - 1_000);
      else for (let event = 1_000; event < first.length; event++) market.advance(1);
      await replay[Symbol.asyncDispose]();
      return [market.takeFills(), market.aheadOf(1)];
    };
    expect(await run(true)).toEqual(await run(false));
  });

  test('sees all of the events it is asked for or none', async () => {
    const run = async (beyond: boolean) => {
      const replay = new Replay({ files, market: true, batchSize: 10 });
      using market = new Market(replay);
      const [first, second] = [await replay.read(), await replay.read()];
      const events = (first?.length ?? 0) + (second?.length ?? 0);
      if (beyond) expect(() => market.advance(events + 1)).toThrow(`more than the ${events} events`);
      market.advance(events);
      expect(() => market.advance(1)).toThrow('more than the 0 events');
      await replay[Symbol.asyncDispose]();
      return market.place(0, { key: 1, side: 'Buy', type: 'Market', quantity: '0.01' });
    };
    expect(await run(true)).toEqual(await run(false));
  });

  test('refuses to see the future, and a replay that keeps nothing for it', async () => {
    const replay = new Replay({ files, market: true, batchSize: 10 });
    const market = new Market(replay);
    const first = await replay.read();
    market.advance(first?.length ?? 0);
    expect(() => market.advance(1)).toThrow('events is 1, which is more than the 0 events that were read');
    expect(() => market.place(256, {} as never)).toThrow('symbol is 256');
    expect(() => new Market(new Replay({ files }))).toThrow('was opened without `market: true`');
    expect(() => new Market({} as never)).toThrow('replay is no Replay');
    await replay[Symbol.asyncDispose]();
  });
});

// The default parameters on a real market: enough to do, at the right prices, within the account's order rate.

import {
  bestAsk,
  bestBid,
  type IntentOutput,
  type Output,
  type SymbolName,
  type WantedQuotesOutput,
} from '@flashpod/sdk';
import { Stage, sketchInstrument } from '@flashpod/sdk/testing';
import { describe, expect, test } from 'vitest';
import { recordedMarket } from './recorded-market.js';
import { strategyNamed } from './registry.js';

const seconds = 120;
type Market = readonly [symbol: string, file: string, lot: string];
const markets: readonly Market[] = [
  ['BTCUSDT', 'binance_spot_btc_eth_20240808/btcusdt_20240808.gz', '0.00001'],
  ['ETHUSDT', 'binance_spot_btc_eth_20240808/ethusdt_20240808.gz', '0.0001'],
];

/** Runs a strategy over the recording; hands every output to `react` with the event that caused it. */
function run(name: string, [symbol, file, lot]: Market, react: React): void {
  const stage = new Stage(strategyNamed(name), {}, [sketchInstrument({ symbol, quote: 'USDT', lot })]);
  let before: number | undefined;
  for (const event of recordedMarket(file, symbol as SymbolName, seconds)) {
    stage.clock.advanceMs(event.atMs - (before ?? event.atMs));
    before = event.atMs;
    const outputs = event.kind === 'book' ? stage.book(event.book) : stage.trades(event.batch);
    for (const output of outputs) react(output, stage, event);
  }
}
type Event = ReturnType<typeof recordedMarket> extends Generator<infer E> ? E : never;
type React = (output: Output, stage: Stage<unknown, unknown>, event: Event) => void;

describe.each(markets)('%s', (...market) => {
  test('imbalance-maker quotes at the touch or behind it, at the touch on one side at least half of the time', () => {
    let [books, atTouch, changes] = [0, 0, 0];
    const kept: (number | undefined)[] = [];
    run('imbalance-maker', market, (output, _, event) => {
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

  test('momentum-taker trades once in one to two seconds', () => {
    let orders = 0;
    run('momentum-taker', market, (output, stage) => {
      if (output.kind !== 'intent') return;
      orders += 1;
      expect(stage.order(output as IntentOutput, 'Filled', output.quantity)).toEqual([]);
    });
    expect(orders).toBeGreaterThan(120);
    expect(orders).toBeLessThan(240);
  });
});

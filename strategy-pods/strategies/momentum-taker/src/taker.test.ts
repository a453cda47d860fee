import type { IntentOutput, Output } from '@flashpod/sdk';
import {
  assertCount,
  assertIntent,
  assertNoIntent,
  assertSilent,
  type Levels,
  Stage,
  sketchPosition,
} from '@flashpod/sdk/testing';
import { expect, test } from 'vitest';
import strategy from './index.js';

const btc = 'BTCUSDC';
const parameters = {
  flowWindowMs: 100,
  burst: 3,
  minImbalance: 0.1,
  stopBps: 10,
  holdMs: 1_000,
  coolDownMs: 500,
};
const bids: Levels = [[60_000, 2]];
const asks: Levels = [[60_001, 1]];
type AnyStage = Stage<unknown, unknown>;
const book = (stage: AnyStage): Output[] => stage.book(btc, bids, asks);
const burst = (stage: AnyStage): Output[] => stage.trade(btc, 'Buy', 60_001, 1);

/** A market of small trades both ways, long enough to know what is typical. */
function warmed(): AnyStage {
  const stage = new Stage(strategy, { parameters }) as AnyStage;
  book(stage);
  for (let i = 0; i < 40; i++) {
    stage.advance(100);
    stage.trade(btc, i % 2 ? 'Buy' : 'Sell', 60_000, 0.001);
  }
  return stage;
}

function holding(base: string): AnyStage {
  return new Stage(strategy, { parameters, positions: [sketchPosition(btc, base, '60000')] }) as AnyStage;
}

function enter(stage: AnyStage): IntentOutput {
  const entry = assertIntent(burst(stage));
  stage.accept(entry);
  stage.fill(entry);
  return entry;
}

/** A strategy that has just bought, on its way to the exit. */
function entered(): { stage: AnyStage; entry: IntentOutput } {
  const stage = warmed();
  const entry = enter(stage);
  assertSilent(book(stage));
  return { stage, entry };
}

test('goes with a burst that the book confirms, through the touch by at most the collar', () => {
  const stage = warmed();
  assertIntent(burst(stage), {
    symbol: btc,
    side: 'Buy',
    type: 'Ioc',
    price: '60013',
    quantity: '0.00083',
    reduceOnly: false,
  });
  assertCount(stage, 'bursts', 1);
});

test('stays out of ordinary flow, of a burst against the book, and of a book it cannot trust', () => {
  assertSilent(warmed().trade(btc, 'Buy', 60_000, 0.0001));
  assertSilent(warmed().trade(btc, 'Sell', 60_000, 1));
  const uncertified = warmed();
  uncertified.book(btc, bids, asks, { certified: false });
  assertSilent(burst(uncertified));
  const halted = warmed();
  halted.state('ReduceOnly');
  assertSilent(burst(halted));
});

test('one order at a time, however long the burst', () => {
  const stage = warmed();
  assertIntent(burst(stage));
  assertSilent(burst(stage));
  assertSilent(book(stage));
});

test('leaves when time is up, selling what it holds and no more', () => {
  const { stage, entry } = entered();
  assertSilent(stage.advance(999));
  assertIntent(stage.advance(1), {
    side: 'Sell',
    type: 'Ioc',
    quantity: entry.quantity,
    reduceOnly: true,
    price: '59988',
  });
});

test('leaves at the stop before time is up', () => {
  const { stage } = entered();
  const lower = (bid: number) => stage.book(btc, [[bid, 1]], [[bid + 1, 1]]);
  assertSilent(lower(59_960));
  assertIntent(lower(59_940), { side: 'Sell', reduceOnly: true });
});

test('pauses after a trade, then looks again', () => {
  const { stage } = entered();
  stage.fill(assertIntent(stage.advance(1_000)));
  stage.advance(499);
  assertSilent(burst(stage));
  assertIntent([...stage.advance(1), ...burst(stage)], { side: 'Buy' });
});

test('an exit that was filled in part is repeated with the rest', () => {
  const { stage } = entered();
  const exit = assertIntent(stage.advance(1_000));
  stage.fill(exit, { quantity: '0.00033' });
  stage.cancelled(exit);
  assertSilent(book(stage));
  assertIntent(stage.advance(250), { quantity: '0.0005', reduceOnly: true });
});

test('an entry that found nothing is no position', () => {
  const stage = warmed();
  stage.cancelled(assertIntent(burst(stage)));
  const later = [...stage.advance(1_000), ...book(stage)];
  assertNoIntent(later.filter((one) => one.kind === 'intent' && one.reduceOnly));
});

test('a refused order is not repeated within a second', () => {
  const stage = warmed();
  stage.reject(assertIntent(burst(stage)));
  stage.advance(900);
  assertSilent(burst(stage));
  assertIntent([...stage.advance(100), ...burst(stage)]);
});

test('an order that nobody answers for is cancelled, and what it bought is sold', () => {
  const stage = warmed();
  const entry = assertIntent(burst(stage));
  expect(stage.advance(5_050)).toEqual([{ kind: 'cancel', ref: entry.ref, symbol: undefined }]);
  stage.fill(entry);
  book(stage);
  assertIntent(stage.advance(1_000), { side: 'Sell', reduceOnly: true });
});

test('a position found at the start is brought to an end', () => {
  const stage = holding('-0.001');
  assertSilent(book(stage));
  assertIntent(stage.advance(1_000), { side: 'Buy', quantity: '0.001', reduceOnly: true });
});

test('a halt is waited out, then the position is brought to an end', () => {
  const { stage } = entered();
  stage.state('Halted');
  assertSilent(stage.advance(5_000));
  stage.state('ReduceOnly');
  assertIntent(book(stage), { side: 'Sell', reduceOnly: true });
});

test('a position too small to sell is left alone', () => {
  const stage = holding('0.00001');
  book(stage);
  assertSilent(stage.advance(10_000));
  assertSilent(book(stage));
});

test('a round trip against the simulated exchange ends flat, and what it cost is the spread and two fees', () => {
  const stage = new Stage(strategy, { parameters, fills: 'simulated', latencyMs: 5 }) as AnyStage;
  book(stage);
  for (let i = 0; i < 40; i++) {
    stage.advance(100);
    stage.trade(btc, i % 2 ? 'Buy' : 'Sell', 60_000, 0.001);
  }
  assertIntent(burst(stage));
  stage.advance(5);
  expect(stage.position(btc).quantity).toBe('0.00083');
  stage.advance(1_100);
  // 0.00083 × (60,000 − 60,001), and 0.05 % of both trades.
  expect(stage.position(btc)).toMatchObject({ quantity: '0', realisedPnl: '-0.00083', fees: '0.049800415' });
});

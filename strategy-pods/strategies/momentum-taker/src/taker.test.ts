import type { IntentOutput, Output, SymbolName } from '@flashpod/sdk';
import {
  type Levels,
  Stage,
  sketchBook,
  sketchInstrument,
  sketchPosition,
  sketchTrades,
} from '@flashpod/sdk/testing';
import { expect, test } from 'vitest';
import strategy from './index.js';

const btc = 'BTCUSDC' as SymbolName;
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
const book = sketchBook(btc, bids, asks);
const burst = sketchTrades(btc, { price: 60_001, quantity: 1, side: 'Buy' });

/** A market of small trades both ways, long enough to know what is typical. */
function warmed(): Stage<unknown, unknown> {
  const stage = new Stage(strategy, parameters);
  stage.book(book);
  for (let i = 0; i < 40; i++) {
    stage.clock.advanceMs(100);
    stage.trades(sketchTrades(btc, { price: 60_000, quantity: 0.001, side: i % 2 ? 'Buy' : 'Sell' }));
  }
  return stage as Stage<unknown, unknown>;
}

const intentOf = (outputs: Output[]): IntentOutput =>
  outputs.find((one) => one.kind === 'intent') as IntentOutput;

function enter(stage: Stage<unknown, unknown>): IntentOutput {
  const entry = intentOf(stage.trades(burst));
  stage.order(entry, 'Accepted');
  stage.order(entry, 'Filled', entry.quantity);
  return entry;
}

test('goes with a burst that the book confirms, through the touch by at most the collar', () => {
  expect(intentOf(warmed().trades(burst))).toMatchObject({
    symbol: btc,
    side: 'Buy',
    type: 'Ioc',
    price: '60013',
    quantity: '0.00083',
    reduceOnly: false,
  });
});

test('stays out of ordinary flow, of a burst against the book, and of a book it cannot trust', () => {
  const small = sketchTrades(btc, { price: 60_000, quantity: 0.0001, side: 'Buy' });
  expect(warmed().trades(small)).toEqual([]);
  const against = sketchTrades(btc, { price: 60_000, quantity: 1, side: 'Sell' });
  expect(warmed().trades(against)).toEqual([]);
  const uncertified = warmed();
  uncertified.book({ ...book, certified: false });
  expect(uncertified.trades(burst)).toEqual([]);
  const halted = warmed();
  halted.session.handleState('ReduceOnly');
  expect(halted.trades(burst)).toEqual([]);
});

test('one order at a time, however long the burst', () => {
  const stage = warmed();
  expect(stage.trades(burst)).toHaveLength(1);
  expect(stage.trades(burst)).toHaveLength(0);
  expect(stage.book(book)).toHaveLength(0);
});

test('leaves when time is up, selling what it holds and no more', () => {
  const stage = warmed();
  const entry = enter(stage);
  expect(stage.book(book)).toEqual([]);
  stage.clock.advanceMs(999);
  expect(stage.book(book)).toEqual([]);
  stage.clock.advanceMs(1);
  const exit = intentOf(stage.book(book));
  expect(exit).toMatchObject({
    side: 'Sell',
    type: 'Ioc',
    quantity: entry.quantity,
    reduceOnly: true,
    price: '59988',
  });
});

test('leaves at the stop before time is up', () => {
  const stage = warmed();
  enter(stage);
  stage.book(book);
  const lower = (bid: number) => sketchBook(btc, [[bid, 1]], [[bid + 1, 1]]);
  expect(stage.book(lower(59_960))).toEqual([]);
  expect(intentOf(stage.book(lower(59_940)))).toMatchObject({ side: 'Sell', reduceOnly: true });
});

test('pauses after a trade, then looks again', () => {
  const stage = warmed();
  enter(stage);
  stage.book(book);
  stage.clock.advanceMs(1_000);
  const exit = intentOf(stage.book(book));
  stage.order(exit, 'Filled', exit.quantity);
  stage.clock.advanceMs(499);
  expect(stage.trades(burst)).toEqual([]);
  stage.clock.advanceMs(1);
  expect(stage.trades(burst)).toHaveLength(1);
});

test('an exit that was filled in part is repeated with the rest', () => {
  const stage = warmed();
  enter(stage);
  stage.book(book);
  stage.clock.advanceMs(1_000);
  const exit = intentOf(stage.book(book));
  stage.order(exit, 'PartiallyFilled', '0.00033');
  stage.order(exit, 'Cancelled');
  expect(stage.book(book)).toEqual([]);
  stage.clock.advanceMs(250);
  expect(intentOf(stage.book(book))).toMatchObject({ quantity: '0.0005', reduceOnly: true });
});

test('an entry that found nothing is no position', () => {
  const stage = warmed();
  const entry = intentOf(stage.trades(burst));
  stage.order(entry, 'Cancelled');
  stage.clock.advanceMs(1_000);
  expect(stage.book(book).filter((one) => one.kind === 'intent' && one.reduceOnly)).toEqual([]);
});

test('a refused order is not repeated within a second', () => {
  const stage = warmed();
  stage.order(intentOf(stage.trades(burst)), 'Rejected');
  stage.clock.advanceMs(900);
  expect(stage.trades(burst)).toEqual([]);
  stage.clock.advanceMs(100);
  expect(stage.trades(burst)).toHaveLength(1);
});

test('an order that nobody answers for is cancelled, and what it bought is sold', () => {
  const stage = warmed();
  const entry = intentOf(stage.trades(burst));
  stage.clock.advanceMs(5_001);
  expect(stage.book(book)).toEqual([{ kind: 'cancel', ref: entry.ref, symbol: undefined }]);
  stage.order(entry, 'Filled', entry.quantity);
  stage.book(book);
  stage.clock.advanceMs(1_000);
  expect(intentOf(stage.book(book))).toMatchObject({ side: 'Sell', reduceOnly: true });
});

test('a position found at the start is brought to an end', () => {
  const positions = [sketchPosition(btc, '-0.001', '60000')];
  const stage = new Stage(strategy, parameters, [sketchInstrument()], { positions });
  expect(stage.book(book)).toEqual([]);
  stage.clock.advanceMs(1_000);
  stage.session.handleTimer();
  expect(intentOf(stage.outputs())).toMatchObject({ side: 'Buy', quantity: '0.001', reduceOnly: true });
});

test('a halt is waited out, then the position is brought to an end', () => {
  const stage = warmed();
  enter(stage);
  stage.book(book);
  stage.session.handleState('Halted');
  stage.clock.advanceMs(5_000);
  expect(stage.book(book)).toEqual([]);
  stage.session.handleState('ReduceOnly');
  expect(intentOf(stage.book(book))).toMatchObject({ side: 'Sell', reduceOnly: true });
});

test('a position too small to sell is left alone', () => {
  const positions = [sketchPosition(btc, '0.00001', '60000')];
  const stage = new Stage(strategy, parameters, [sketchInstrument()], { positions });
  stage.book(book);
  stage.clock.advanceMs(10_000);
  expect(stage.book(book)).toEqual([]);
});

import { type AnyStage, assertCount, assertSilent, Stage } from '@flashpod/sdk/testing';
import { expect, test } from 'vitest';
import strategy from './index.js';

const btc = 'BTCUSDC';
const start = (parameters: object = {}): AnyStage => new Stage(strategy, { parameters });
const book = (stage: AnyStage, bid: number) => stage.book(btc, [[bid, 1]], [[bid + 0.01, 1]]);

test('the core quotes from the start, by the parameters of the manifest', () => {
  const stage = start({ orderNotional: '100', inventorySkewBps: 2.5 });
  expect(stage.rule(btc)).toEqual({
    rule: 'touch',
    orderNotional: '100',
    maxInventoryNotional: '200',
    imbalanceSkewBps: '0.2',
    imbalanceLevels: '5',
    pullImbalance: '0.9',
    inventorySkewBps: '2.5',
    toleranceTicks: '200',
  });
});

test('a quiet market needs nothing from this process', () => {
  const stage = start();
  for (const bid of [60_000, 60_010, 59_990]) assertSilent(book(stage, bid));
  assertSilent(stage.advance(5_000));
});

test('a move beyond the limit pauses the rule, and the end of the pause brings it back', () => {
  const stage = start({ pauseAfterBps: 10, pauseMs: 500 });
  book(stage, 60_000);
  stage.advance(300);
  book(stage, 60_090);
  expect(stage.rule(btc)).toBeUndefined();
  assertCount(stage, 'pauses', 1);
  stage.advance(400);
  expect(stage.rule(btc)).toBeUndefined();
  stage.advance(200);
  expect(stage.rule(btc)).toMatchObject({ rule: 'touch', orderNotional: '50' });
});

test('a slow move of the same size is no reason to pause', () => {
  const stage = start({ pauseAfterBps: 10 });
  for (let bid = 60_000; bid <= 60_090; bid += 15) {
    assertSilent(book(stage, bid));
    stage.advance(1_000);
  }
  expect(stage.rule(btc)).toBeDefined();
});

test('a book that is not certified says nothing about the market', () => {
  const stage = start();
  book(stage, 60_000);
  assertSilent(stage.book(btc, [[50_000, 1]], [[50_001, 1]], { certified: false }));
});

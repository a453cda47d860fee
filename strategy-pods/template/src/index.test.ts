import { test } from 'node:test';
import { assertNoQuotes, assertQuotes, Stage, sketchPosition } from '@flashpod/sdk/testing';
import strategy from './index.js';

test('quotes both sides at the touch', () => {
  const stage = new Stage(strategy, { parameters: { orderNotional: '600' } });
  stage.book('BTCUSDC', [[60_000, 1]], [[60_000.01, 1]]);
  assertQuotes(stage, 'BTCUSDC', {
    bid: { price: '60000', quantity: '0.01' },
    ask: { price: '60000.01', quantity: '0.00999' },
  });
});

test('quotes one side once the position is large', () => {
  const positions = [sketchPosition('BTCUSDC', '1', '60000')];
  const stage = new Stage(strategy, { positions });
  stage.book('BTCUSDC', [[60_000, 1]], [[60_000.01, 1]]);
  assertQuotes(stage, 'BTCUSDC', { bid: null, ask: '60000.01' });
});

test('pulls its quotes when the book may be wrong', () => {
  const stage = new Stage(strategy);
  stage.book('BTCUSDC', [[60_000, 1]], [[60_000.01, 1]]);
  stage.book('BTCUSDC', [[60_000, 1]], [[60_000.01, 1]], { certified: false });
  assertNoQuotes(stage, 'BTCUSDC');
});

test('a trade through its bid fills it, at its price', () => {
  const stage = new Stage(strategy, { parameters: { orderNotional: '600' }, fills: 'simulated' });
  stage.book('BTCUSDC', [[60_000, 1]], [[60_000.01, 1]]);
  stage.trade('BTCUSDC', 'Sell', 59_990, 1);
  stage.book('BTCUSDC', [[59_980, 1]], [[59_980.01, 1]]);
  const { quantity, averageCost } = stage.position('BTCUSDC');
  if (quantity !== '0.01' || averageCost !== '60000') throw new Error(`bought ${quantity} at ${averageCost}`);
});

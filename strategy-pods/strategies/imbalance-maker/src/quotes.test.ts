import type { WantedQuotesOutput } from '@flashpod/sdk';
import {
  type AnyStage,
  assertNoQuotes,
  assertQuotes,
  Stage,
  type StageOptions,
  sketchPosition,
} from '@flashpod/sdk/testing';
import { expect, test } from 'vitest';
import strategy from './index.js';

const btc = 'BTCUSDC';
// No skew unless a test is about it.
const plain = { inventorySkewBps: 0, imbalanceSkewBps: 0, minEdgeBps: 0 };

function holding(base: string, parameters: object, options: StageOptions = {}): Stage<unknown, unknown> {
  const positions = [sketchPosition(btc, base, '60000')];
  return new Stage(strategy, { parameters, positions, ...options }) as Stage<unknown, unknown>;
}

const flat = (parameters: object, options?: StageOptions) => holding('0', parameters, options);
const balanced = (stage: AnyStage) => stage.book(btc, [[60_000, 1]], [[60_000.01, 1]]);
const both = { bid: '60000', ask: '60000.01' };

test('quotes the touch on both sides of a balanced book when flat', () => {
  const stage = flat(plain);
  balanced(stage);
  assertQuotes(stage, btc, both);
});

test('sizes each quote by its notional, in whole lots', () => {
  const stage = flat({ ...plain, orderNotional: '100' });
  balanced(stage);
  assertQuotes(stage, btc, { bid: { quantity: '0.00166' }, ask: { quantity: '0.00166' } });
});

test('keeps its edge to the fair price', () => {
  const stage = flat({ ...plain, minEdgeBps: 1 });
  balanced(stage);
  assertQuotes(stage, btc, { bid: '59994', ask: '60006.01' });
});

test('stands back on the lighter side of the book only', () => {
  const stage = flat({ ...plain, imbalanceSkewBps: 1 });
  stage.book(btc, [[60_000, 9]], [[60_000.01, 1]]);
  assertQuotes(stage, btc, { bid: '60000', ask: '60004.81' });
});

test('a long position moves the bid away and leaves the ask at the touch', () => {
  // 0.002 BTC is 120 of at most 200 USDC: 0.6 of the skew of 1 bp, 3.6 USDC.
  const stage = holding('0.002', { ...plain, inventorySkewBps: 1 });
  balanced(stage);
  assertQuotes(stage, btc, { ask: '60000.01' });
  expect(Number(stage.wanted(btc).bid?.price)).toBeCloseTo(60_000.005 - 3.6, 1);
});

test.each([
  ['0.003', { bid: null, ask: '60000.01' }],
  ['-0.003', { bid: '60000', ask: null }],
  ['0.002', both],
])('with %s BTC of at most 200 USDC it quotes %j', (base, quotes) => {
  const stage = holding(base, plain);
  balanced(stage);
  assertQuotes(stage, btc, quotes);
});

test('pulls everything when the book is not certified, has an empty side, or the core opens no risk', () => {
  const stage = flat(plain);
  balanced(stage);
  stage.book(btc, [[60_000, 1]], [[60_000.01, 1]], { certified: false });
  assertNoQuotes(stage, btc);
  balanced(stage);
  assertQuotes(stage, btc, both);
  stage.book(btc, [], [[60_000, 1]]);
  assertNoQuotes(stage, btc);
  balanced(stage);
  stage.state('ReduceOnly');
  balanced(stage);
  assertNoQuotes(stage, btc);
});

test('quotes only what its own coins cover', () => {
  const stage = flat(plain, { capital: { USDC: '1000' } });
  balanced(stage);
  assertQuotes(stage, btc, { bid: '60000', ask: null });
});

test('the tolerance is a distance in basis points, in ticks of the pair', () => {
  const [output] = balanced(flat({ ...plain, toleranceBps: 0.5 })) as [WantedQuotesOutput];
  expect(output.toleranceTicks).toBe(300);
});

test('what its bid bought leans the next quotes the other way', () => {
  const stage = new Stage(strategy, { parameters: { ...plain, inventorySkewBps: 10 }, fills: 'simulated' });
  balanced(stage);
  balanced(stage);
  stage.trade(btc, 'Sell', 59_999, 1);
  expect(Number(stage.position(btc).quantity)).toBeGreaterThan(0);
  balanced(stage);
  expect(Number(stage.wanted(btc).bid?.price)).toBeLessThan(60_000);
  assertQuotes(stage, btc, { ask: '60000.01' });
});

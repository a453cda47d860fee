import type { ExecutionCore, StrategyInstance } from '@flashpod/crds';
import { expect, test } from 'vitest';
import { compare, controlLines, feePairs, midPrices } from './comparison.js';

function instance(name: string, positions: object[] = [], spec: object = {}): StrategyInstance {
  return {
    spec: {
      strategyRef: { name, uid: 'u' },
      symbols: ['BTCUSDC', 'ETHUSDC'],
      capital: [
        { asset: 'USDC', amount: '1000' },
        { asset: 'BTC', amount: '0.5' },
        { asset: 'ETH', amount: '2' },
      ],
      ...spec,
    },
    status: { positions },
  } as unknown as StrategyInstance;
}
const position = (realisedPnl: string, unrealisedPnl: string, fees: string) => ({
  realisedPnl,
  unrealisedPnl,
  fees,
});
const start = new Map([
  ['BTCUSDC', '60000'],
  ['ETHUSDC', '2500'],
]);
const end = new Map([
  ['BTCUSDC', '59990'],
  ['ETHUSDC', '2502'],
]);

test('holding is the change of the coins left alone, trading what was added after fees, nothing is zero', () => {
  const maker = instance('maker', [position('4', '-1.5', '0.5'), position('-1', '0', '0.25')]);
  // By hand: 0.5 × −10 + 2 × 2 = −1; 4 − 1.5 − 0.5 − 1 − 0.25 = 0.75; 1000 + 30,000 + 5,000.
  expect(compare([maker], start, end).strategies).toEqual([
    {
      name: 'maker',
      quoteAsset: 'USDC',
      capital: '36000',
      trading: '0.75',
      holding: '-1',
      total: '-0.25',
      betterThanHolding: true,
      betterThanNothing: false,
      otherFees: [],
    },
  ]);
});

test('a strategy that loses is said to lose, one that did not trade is no better than holding', () => {
  const control = compare([instance('idle'), instance('taker', [position('-3', '0', '1')])], start, end);
  expect(control.strategies).toMatchObject([
    { trading: '0', holding: '-1', betterThanHolding: false, betterThanNothing: false },
    { trading: '-4', total: '-5', betterThanHolding: false, betterThanNothing: false },
  ]);
  expect(control.all).toMatchObject({ capital: '72000', trading: '-4', holding: '-2', total: '-6' });
  expect(controlLines(control)).toEqual([
    '  idle: trading +0.00 after fees; holding its coins −1.00, doing nothing 0; in all −1.00 USDC on 36000',
    '  taker: trading −4.00 after fees; holding its coins −1.00, doing nothing 0; in all −5.00 USDC on 36000',
    '  all: trading −4.00 after fees; holding its coins −2.00, doing nothing 0; in all −6.00 USDC on 72000',
  ]);
});

test('what cannot be compared is said, not guessed', () => {
  const mixed = instance('mixed', [], { symbols: ['BTCUSDC', 'ETHBTC'] });
  const control = compare([mixed, instance('late')], start, new Map([['BTCUSDC', '1']]));
  expect(control).toMatchObject({ strategies: [], all: null });
  expect(control.notCompared).toEqual([
    'mixed: its pairs have no common quote asset in its capital',
    'late: no price of ETH in USDC is known at start and end',
  ]);
});

test('a mid needs both sides and is exact', () => {
  const books = [
    { symbol: 'BTCUSDC', bestBid: '60000', bestAsk: '60000.01' },
    { symbol: 'ETHUSDC', bestBid: '2500' },
  ];
  expect([...midPrices([{ status: { books } } as unknown as ExecutionCore])]).toEqual([
    ['BTCUSDC', '60000.005'],
  ]);
});

test('fees in a third asset are in trading where its price is known, and said apart where it is not', () => {
  const fees = (list: object[]) => ({ status: { positions: [position('4', '0', '0')], figures: list } });
  const taker = {
    ...instance('taker'),
    ...fees([
      { symbol: 'BTCUSDC', otherFees: [{ asset: 'MX', amount: '0.5' }] },
      {
        symbol: 'ETHUSDC',
        otherFees: [
          { asset: 'MX', amount: '0.25' },
          { asset: 'KCS', amount: '1' },
        ],
      },
    ]),
  } as unknown as StrategyInstance;
  expect(feePairs([taker])).toEqual(['KCSUSDC', 'MXUSDC']);
  const priced = new Map([...end, ['MXUSDC', '2']]);
  const control = compare([taker], start, priced);
  // By hand: 4 − 0.75 × 2.
  expect(control.strategies[0]).toMatchObject({
    trading: '2.5',
    otherFees: [
      { asset: 'KCS', amount: '1', value: null },
      { asset: 'MX', amount: '0.75', value: '1.5' },
    ],
  });
  expect(controlLines(control)[0]).toContain('; without 1 KCS of fees, whose price is not known');
  expect(compare([taker], start, end).all).toMatchObject({ trading: '4' });
});

import type { SymbolName, WantedQuotesOutput } from '@flashpod/sdk';
import { type Levels, Stage, sketchBook, sketchInstrument, sketchPosition } from '@flashpod/sdk/testing';
import { expect, test } from 'vitest';
import strategy from './index.js';

const btc = 'BTCUSDC' as SymbolName;
const balanced = sketchBook(btc, [[60_000, 1]], [[60_000.01, 1]]);
// No skew unless a test is about it.
const plain = { inventorySkewBps: 0, imbalanceSkewBps: 0, minEdgeBps: 0 };

function pairOf(
  stage: Stage<unknown, unknown>,
  book = balanced,
): { bid?: string; ask?: string; tolerance: number } {
  const output = stage.book(book).at(-1) as WantedQuotesOutput;
  const [bid] = output.quotes.filter((quote) => quote.side === 'Buy');
  const [ask] = output.quotes.filter((quote) => quote.side === 'Sell');
  return { ...(bid && { bid: bid.price }), ...(ask && { ask: ask.price }), tolerance: output.toleranceTicks };
}

function holding(base: string, parameters: object): Stage<unknown, unknown> {
  const positions = [sketchPosition(btc, base, '60000')];
  return new Stage(strategy, parameters, [sketchInstrument()], { positions }) as Stage<unknown, unknown>;
}

const flat = (parameters: object) => holding('0', parameters);

test('quotes the touch on both sides of a balanced book when flat', () => {
  expect(pairOf(flat(plain))).toMatchObject({ bid: '60000', ask: '60000.01' });
});

test('sizes each quote by its notional, in whole lots', () => {
  const stage = flat({ ...plain, orderNotional: '100' });
  const [output] = stage.book(balanced) as [WantedQuotesOutput];
  expect(output.quotes.map((quote) => quote.quantity)).toEqual(['0.00166', '0.00166']);
});

test('keeps its edge to the fair price', () => {
  expect(pairOf(flat({ ...plain, minEdgeBps: 1 }))).toMatchObject({ bid: '59994', ask: '60006.01' });
});

test('stands back on the lighter side of the book only', () => {
  const bids: Levels = [[60_000, 9]];
  const asks: Levels = [[60_000.01, 1]];
  const parameters = { ...plain, imbalanceSkewBps: 1 };
  expect(pairOf(flat(parameters), sketchBook(btc, bids, asks))).toMatchObject({
    bid: '60000',
    ask: '60004.81',
  });
});

test('a long position moves the bid away and leaves the ask at the touch', () => {
  // 0.002 BTC is 120 of at most 200 USDC: 0.6 of the skew of 1 bp, 3.6 USDC.
  const { bid, ask } = pairOf(holding('0.002', { ...plain, inventorySkewBps: 1 }));
  expect(ask).toBe('60000.01');
  expect(Number(bid)).toBeCloseTo(60_000.005 - 3.6, 1);
});

test.each([
  ['0.003', ['Sell']],
  ['-0.003', ['Buy']],
  ['0.002', ['Buy', 'Sell']],
])('with %s BTC of at most 200 USDC it quotes %j', (base, sides) => {
  const [output] = holding(base, plain).book(balanced) as [WantedQuotesOutput];
  expect(output.quotes.map((quote) => quote.side)).toEqual(sides);
});

test('pulls everything when the book is not certified, has an empty side, or the core opens no risk', () => {
  for (const book of [{ ...balanced, certified: false }, sketchBook(btc, [], [[60_000, 1]])]) {
    const stage = flat(plain);
    stage.book(balanced);
    expect(stage.book(book)).toMatchObject([{ kind: 'quotes', quotes: [] }]);
  }
  const stage = flat(plain);
  stage.book(balanced);
  stage.session.handleState('ReduceOnly');
  expect(stage.book(balanced)).toMatchObject([{ kind: 'quotes', quotes: [] }]);
});

test('quotes only what its own coins cover', () => {
  const balances = new Map([
    ['BTC', '0'],
    ['USDC', '1000'],
  ]) as never;
  const stage = new Stage(strategy, plain, [sketchInstrument()], { balances });
  const [output] = stage.book(balanced) as [WantedQuotesOutput];
  expect(output.quotes.map((quote) => quote.side)).toEqual(['Buy']);
});

test('the tolerance is a distance in basis points, in ticks of the pair', () => {
  expect(pairOf(flat({ ...plain, toleranceBps: 0.5 })).tolerance).toBe(300);
});

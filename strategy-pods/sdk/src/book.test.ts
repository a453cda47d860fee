import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bestAsk, bestBid, hasBothSides, imbalance, microprice, mid, spread } from './book.js';
import type { SymbolName } from './brand.js';
import { sketchBook } from './testing/index.js';

const symbol = 'BTCUSDC' as SymbolName;
const quantity = fc.double({ min: 1e-8, max: 1e6, noNaN: true });

test('mid, spread and microprice of a book by hand', () => {
  const book = sketchBook(symbol, [[100, 3]], [[102, 1]]);
  expect([mid(book), spread(book), microprice(book)]).toEqual([101, 2, 101.5]);
});

test('the microprice lies between the best prices', () => {
  fc.assert(
    fc.property(quantity, quantity, (bid, ask) => {
      const book = sketchBook(symbol, [[100, bid]], [[100.01, ask]]);
      const price = microprice(book);
      expect(price).toBeGreaterThanOrEqual(bestBid(book) - 1e-9);
      expect(price).toBeLessThanOrEqual(bestAsk(book) + 1e-9);
    }),
  );
});

test('imbalance counts only the levels asked for and turns its sign with the sides', () => {
  const bids: [number, number][] = [
    [100, 3],
    [99, 100],
  ];
  const asks: [number, number][] = [
    [101, 1],
    [102, 0.5],
  ];
  expect(imbalance(sketchBook(symbol, bids, asks), 1)).toBe(0.5);
  expect(imbalance(sketchBook(symbol, asks, bids), 2)).toBeCloseTo(
    -imbalance(sketchBook(symbol, bids, asks), 2),
  );
});

test('a book with an empty side has no prices and no imbalance of nothing', () => {
  const book = sketchBook(symbol, [], [[101, 1]]);
  expect(hasBothSides(book)).toBe(false);
  expect(mid(book)).toBeNaN();
  expect(imbalance(sketchBook(symbol, [], []), 5)).toBe(0);
});

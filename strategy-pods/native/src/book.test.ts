import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Book } from './book.js';
import { InvalidArgumentError } from './errors.js';
import { levelsOf, none, type Pairs, pairsOf } from './testing/levels.js';
import { ModelBook } from './testing/model-book.js';

describe('a book', () => {
  test('shows its best levels first, in place, with the rest filled up', () => {
    const book = new Book({ levels: 3 });
    const { bids, asks } = book.window;
    book.load(
      levelsOf([
        [98, 2],
        [99, 1],
      ]),
      levelsOf([[101, 3]]),
    );
    expect(pairsOf(bids)).toEqual([
      [99, 1],
      [98, 2],
    ]);
    expect([...asks.prices]).toEqual([101, Number.NaN, Number.NaN]);
    expect([...asks.quantities]).toEqual([3, 0, 0]);
    book.apply(
      levelsOf([
        [99, 0],
        [97.5, 4],
      ]),
      none,
    );
    expect(pairsOf(bids)).toEqual([
      [98, 2],
      [97.5, 4],
    ]);
    expect([book.window.bidLevels, book.window.askLevels]).toEqual([2, 1]);
    expect(book.window.bids).toBe(bids);
  });

  test('is exact inside: the texts are those of the venue', () => {
    const book = new Book();
    book.load(
      levelsOf([
        [61837.63, 0.00000001],
        [0.1 + 0.2, 3.78826],
      ]),
      none,
    );
    expect(book.top('Buy', 2)).toEqual([
      { price: '61837.63', quantity: '0.00000001' },
      { price: '0.3', quantity: '3.78826' },
    ]);
    expect(book.quantityAt('Buy', 61837.63)).toBe(1e-8);
    expect(book.quantityAt('Sell', 61837.63)).toBe(0);
  });

  test('holds what a model in TypeScript holds, whatever comes', () => {
    const level = fc
      .tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 5 }))
      .map(([price, quantity]): [number, number] => [price / 100, quantity / 1000]);
    const update = fc.tuple(fc.array(level, { maxLength: 8 }), fc.array(level, { maxLength: 8 }));
    fc.assert(
      fc.property(fc.array(update, { maxLength: 30 }), (updates) => {
        using book = new Book({ levels: 7 });
        const model = new ModelBook();
        for (const [bids, asks] of updates) {
          book.apply(levelsOf(bids), levelsOf(asks));
          for (const [price, quantity] of bids) model.bids.set(price, quantity);
          for (const [price, quantity] of asks) model.asks.set(price, quantity);
          expect(pairsOf(book.window.bids)).toEqual(model.bids.top(7));
          expect(pairsOf(book.window.asks)).toEqual(model.asks.top(7));
          expect(book.window.bidLevels).toBe(model.bids.prices.length);
        }
      }),
      { numRuns: 200 },
    );
  });

  test.each<[string, Pairs, string]>([
    ['no number', [[Number.NaN, 1]], 'price is NaN'],
    ['infinite', [[1, Number.POSITIVE_INFINITY]], 'quantity is inf'],
    ['negative', [[1, -1]], 'quantity is -1'],
    ['a price of nothing', [[0, 1]], 'price is 0'],
    ['below the last place', [[1e-9, 1]], 'price is 0.000000001'],
    ['more than a double tells apart', [[9.1e7, 1]], 'price is 91000000'],
  ])('refuses a level that is %s and changes nothing', (_, bad, message) => {
    const book = new Book({ levels: 2 });
    book.load(levelsOf([[99, 1]]), none);
    const apply = () => book.apply(levelsOf([[98, 1], ...bad]), none);
    expect(apply).toThrow(InvalidArgumentError);
    expect(apply).toThrow(`bids[1]: ${message}`);
    expect(pairsOf(book.window.bids)).toEqual([[99, 1]]);
  });

  test('refuses arrays of different lengths, and other things than arrays', () => {
    const book = new Book();
    const uneven = { prices: Float64Array.of(1, 2), quantities: Float64Array.of(1) };
    expect(() => book.load(none, uneven)).toThrow(
      'asks: number of quantities is 1, which does not go with 2 prices',
    );
    const plain = { prices: [1], quantities: [1] } as never;
    expect(() => book.load(plain, none)).toThrow(
      'accepted: { prices: Float64Array, quantities: Float64Array }',
    );
    expect(() => new Book({ levels: 5_001 })).toThrow(
      'levels is 5001; accepted: a whole number from 0 to 5000',
    );
    expect(() => new Book(null as never)).toThrow('options is null');
  });

  test('leaves a readable window behind when it is disposed of', () => {
    const book = new Book({ levels: 1 });
    book.load(levelsOf([[99, 1]]), none);
    const { window } = book;
    book.dispose();
    expect(pairsOf(window.bids)).toEqual([[99, 1]]);
    expect(() => book.top('Buy', 1)).toThrow('this book was disposed of');
    book.dispose();
  });

  test('takes levels from its own window, and from memory that threads share', () => {
    const book = new Book({ levels: 2 });
    const levels = levelsOf([
      [99, 1],
      [98, 2],
      [97, 3],
    ]);
    book.load(levels, none);
    book.load(book.window.bids, none);
    expect([pairsOf(book.window.bids), book.window.bidLevels]).toEqual([
      [
        [99, 1],
        [98, 2],
      ],
      2,
    ]);
    const shared = ({ length }: Float64Array) => new Float64Array(new SharedArrayBuffer(8 * length));
    const copy = { prices: shared(levels.prices), quantities: shared(levels.quantities) };
    copy.prices.set(levels.prices);
    copy.quantities.set(levels.quantities);
    book.load(none, copy);
    expect([book.window.bidLevels, book.window.askLevels, book.window.asks.prices[0]]).toEqual([0, 3, 97]);
  });

  test('does not give its window away, only copies of it', () => {
    const book = new Book({ levels: 1 });
    const { prices } = book.window.bids;
    const transfer = [prices.buffer as ArrayBuffer];
    expect(() => structuredClone(prices.buffer, { transfer })).toThrow('Cannot transfer');
    const copy = structuredClone(prices);
    book.load(levelsOf([[99, 1]]), none);
    expect([prices[0], copy[0]]).toEqual([99, Number.NaN]);
  });
});

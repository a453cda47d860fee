import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EstimatedBook, FifoBook, type NewOrder } from './matching.js';
import { levelsOf, none } from './testing/levels.js';

const order = (key: number, rest: Partial<NewOrder> = {}): NewOrder => ({
  key,
  side: 'Buy',
  type: 'Limit',
  price: '100',
  quantity: '1',
  ...rest,
});

describe('a FIFO book', () => {
  test('fills the oldest order at the best price first', () => {
    const book = new FifoBook();
    for (const [key, price] of [
      [1, '101'],
      [2, '100'],
      [3, '100'],
    ] as const)
      book.place(order(key, { side: 'Sell', price, quantity: '5' }));
    const placed = book.place(order(4, { price: '101', quantity: '12' }));
    expect(placed.matches.map(({ maker, quantity }) => [maker, quantity])).toEqual([
      [2, '5'],
      [3, '5'],
      [1, '2'],
    ]);
    expect(placed.resting).toBe('0');
    expect(book.levels('Sell', 9)).toEqual([{ price: '101', quantity: '3' }]);
    expect(book.drainChanges().at(-1)).toEqual({ side: 'Sell', price: '101', quantity: '3' });
  });

  test('knows its queues', () => {
    const book = new FifoBook();
    book.place(order(1, { quantity: '0.5' }));
    book.place(order(2));
    expect(book.aheadOf(2)).toBe('0.5');
    expect(book.queue('Buy', '100.00')).toEqual([
      { key: 1, quantity: '0.5' },
      { key: 2, quantity: '1' },
    ]);
    expect(book.cancel(1)).toBe('0.5');
    expect(book.cancel(1)).toBeUndefined();
    expect(book.aheadOf(1)).toBeUndefined();
  });

  test('keeps the promises of the order types', () => {
    const book = new FifoBook();
    const refusal = (rest: Partial<NewOrder>) =>
      book.place({ key: 9, side: 'Buy', type: 'Limit', ...rest }).refusal;
    expect(refusal({ type: 'Market', quantity: '1' })).toBe('NoOpponent');
    book.place(order(1, { side: 'Sell', price: '100', quantity: '3' }));
    expect(refusal({ type: 'LimitMaker', price: '100', quantity: '1' })).toBe('WouldTake');
    expect(refusal({ type: 'Fok', price: '100', quantity: '4' })).toBe('NotFillable');
    const market = book.place({ key: 2, side: 'Buy', type: 'Market', quoteAmount: '250', lot: '0.1' });
    expect(market.matches).toMatchObject([{ maker: 1, price: '100', quantity: '2.5', makerLeft: '0.5' }]);
  });

  test.each<[Partial<NewOrder>, string]>([
    [{ side: 'buy' as never }, "side is 'buy'; accepted: Buy, Sell"],
    [{ type: 'Stop' as never }, "type is 'Stop'; accepted: Limit, LimitMaker, Ioc, Fok, Market"],
    [{ price: 100 as never }, 'price is 100; accepted: a string'],
    [{ price: '1e2' }, 'price is `1e2`'],
    [{ price: '-1' }, 'price is -1, which is not positive'],
    [{ quantity: '0' }, 'quantity is 0, which is not positive'],
    [{ quantity: '0.000000001' }, 'has more decimal places'],
    [{ quantity: '999999999999' }, 'is too large'],
    [{ quoteAmount: '5' }, 'either quantity or quoteAmount'],
    [{ type: 'Market' }, 'a Market order takes none'],
    [{ lot: '0' }, 'lot is 0'],
    [{ key: -1 }, 'key is -1; accepted: a whole number from 0'],
    [{ key: 1 }, 'key is 1, which rests already'],
  ])('refuses %j', (rest, message) => {
    const book = new FifoBook();
    book.place(order(1));
    expect(() => book.place(order(2, rest))).toThrow(message);
    expect(book.levels('Buy', 9)).toEqual([{ price: '100', quantity: '1' }]);
  });

  test('matches as a model in TypeScript does, and loses nothing', () => {
    const step = fc.record({
      buy: fc.boolean(),
      price: fc.integer({ min: 95, max: 105 }),
      quantity: fc.integer({ min: 1, max: 9 }),
      cancels: fc.option(fc.nat(40), { freq: 4 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        using book = new FifoBook();
        let resting: { key: number; buy: boolean; price: number; left: number }[] = [];
        steps.forEach(({ buy, price, quantity, cancels }, key) => {
          if (cancels !== null) {
            const left = resting.find((one) => one.key === cancels)?.left;
            expect(book.cancel(cancels)).toBe(left === undefined ? undefined : String(left));
            resting = resting.filter((one) => one.key !== cancels);
            return;
          }
          const reach = resting
            .filter((one) => one.buy !== buy && (buy ? one.price <= price : one.price >= price))
            .sort((a, b) => (buy ? a.price - b.price : b.price - a.price) || a.key - b.key);
          const matches: [number, string][] = [];
          let left = quantity;
          for (const maker of reach) {
            const take = Math.min(left, maker.left);
            if (take === 0) break;
            maker.left -= take;
            left -= take;
            matches.push([maker.key, String(take)]);
          }
          resting = resting.filter((one) => one.left > 0);
          if (left > 0) resting.push({ key, buy, price, left });
          const side = buy ? 'Buy' : 'Sell';
          const placed = book.place({
            key,
            side,
            type: 'Limit',
            price: String(price),
            quantity: String(quantity),
          });
          expect(placed.matches.map((one) => [one.maker, one.quantity])).toEqual(matches);
          expect(placed.resting).toBe(String(left));
        });
      }),
      { numRuns: 200 },
    );
  });
});

describe('an estimated book', () => {
  const shown = (model: 'conservative' | 'proportional') => {
    const book = new EstimatedBook({ queueModel: model });
    book.onDepth(1, levelsOf([[99, 10]]), levelsOf([[101, 10]]));
    return book;
  };

  test('stands behind what is displayed and is reached by trades', () => {
    const book = shown('conservative');
    book.place(order(1, { price: '99', quantity: '2' }));
    expect(book.aheadOf(1)).toBe('10');
    expect(book.onTrade(2, 'Sell', 99, 9)).toEqual([]);
    expect(book.aheadOf(1)).toBe('1');
    expect(book.onTrade(3, 'Sell', 99, 2.5)).toEqual([{ key: 1, price: '99', quantity: '1.5', left: '0.5' }]);
    expect(book.onTrade(4, 'Sell', 98.9, 0.2)).toEqual([
      { key: 1, price: '99', quantity: '0.2', left: '0.3' },
    ]);
    expect(book.cancel(1)).toBe('0.3');
  });

  test.each([
    ['conservative', '10'],
    ['proportional', '7.5'],
  ] as const)('%s: a fall that no trade explains leaves %s ahead', (model, ahead) => {
    const book = shown(model);
    book.place(order(1, { price: '99', quantity: '2' }));
    book.onDepth(2, levelsOf([[99, 20]]), none);
    book.onDepth(3, levelsOf([[99, 15]]), none);
    expect(book.aheadOf(1)).toBe(ahead);
  });

  test('takes what is displayed once', () => {
    const book = shown('conservative');
    const take = (key: number) => book.place(order(key, { type: 'Ioc', price: '101', quantity: '6' }));
    expect(take(1).matches).toMatchObject([{ price: '101', quantity: '6' }]);
    expect(take(2).matches).toMatchObject([{ price: '101', quantity: '4' }]);
    expect(take(3).matches).toEqual([]);
  });

  test('refuses models and sides that do not exist', () => {
    expect(() => new EstimatedBook({ queueModel: 'fifo' as never })).toThrow(
      'accepted: conservative, proportional',
    );
    expect(() => shown('conservative').onTrade(1, 'Both' as never, 1, 1)).toThrow("taker is 'Both'");
    expect(() => shown('conservative').onTrade(1, 'Buy', Number.NaN, 1)).toThrow('price is NaN');
  });
});

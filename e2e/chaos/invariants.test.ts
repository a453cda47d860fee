import { expect, test } from 'vitest';
import { duplicates, type JudgedOrder, limitsPassed } from './invariants.ts';

const ns = (ms: number): string => String(ms * 1_000_000);
let count = 0;

function order(change: Partial<JudgedOrder> & { at: number }): JudgedOrder {
  count += 1;
  const { at, ...rest } = change;
  return {
    orderId: `C${count}`,
    clientOrderId: `fp-1-1-${count}`,
    symbol: 'BTCUSDC',
    side: 'BUY',
    price: '100',
    origQty: '1',
    executedQty: '0',
    status: 'NEW',
    acceptedUnixNs: ns(at),
    cancelRequestedUnixNs: null,
    closedUnixNs: null,
    fills: [],
    ...rest,
  };
}

function fill(ms: number, qty: string) {
  return {
    tradeId: `T${ms}`,
    price: '100',
    qty,
    commission: '0',
    commissionAsset: 'USDC',
    timeUnixNs: ns(ms),
  };
}

const limits = { maxOrderNotional: 150, maxPositionNotional: 200, maxOpenOrders: 2 };
const filled = (at: number): JudgedOrder =>
  order({ at, executedQty: '1', status: 'FILLED', closedUnixNs: ns(at + 1), fills: [fill(at + 1, '1')] });

test('orders within their limits are no complaint', () => {
  expect(limitsPassed([order({ at: 1 }), order({ at: 2 })], limits)).toEqual([]);
  // Position 2 × 100, and what makes it smaller.
  expect(limitsPassed([filled(1), filled(3), order({ at: 5, side: 'SELL' })], limits)).toEqual([]);
});

test('an order that is too large, one too many, and one too much for the position are named', () => {
  expect(limitsPassed([order({ at: 1, origQty: '1.6' })], limits)).toEqual([
    expect.stringContaining('value 160, limit 150'),
  ]);
  const other = { symbol: 'ETHUSDC' };
  expect(
    limitsPassed([order({ at: 1 }), order({ at: 2, ...other }), order({ at: 3, ...other })], limits),
  ).toEqual([expect.stringContaining('3 orders open, limit 2')]);
  expect(limitsPassed([filled(1), filled(3), order({ at: 5 })], limits)).toEqual([
    expect.stringContaining('worst position 300, limit 200'),
  ]);
});

test('what is still open on the same side counts until it is closed', () => {
  const partly = order({ at: 1, origQty: '1.5', executedQty: '0.5', fills: [fill(2, '0.5')] });
  expect(limitsPassed([partly, order({ at: 3 })], limits)).toEqual([
    expect.stringContaining('250, limit 200'),
  ]);
  const cancelled = { ...partly, status: 'PARTIALLY_CANCELED', closedUnixNs: ns(3) };
  expect(limitsPassed([cancelled, order({ at: 3 })], limits)).toEqual([]);
});

test('orders from before the limits were in force are counted and not judged', () => {
  expect(limitsPassed([filled(1), filled(3), filled(5)], limits, 6)).toEqual([]);
  expect(limitsPassed([filled(1), filled(3), filled(5), order({ at: 7 })], limits, 6)).toHaveLength(1);
});

test('the same client order id twice is named', () => {
  const one = order({ at: 1 });
  expect(duplicates([one, order({ at: 2 }), { ...one, orderId: 'C0' }])).toEqual([
    `${one.clientOrderId} is there twice`,
  ]);
});

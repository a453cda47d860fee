import { create } from '@bufbuild/protobuf';
import { LedgerReplySchema } from '@flashpod/proto';
import { expect, test } from 'vitest';
import { compareLedgers, type VenueAccount } from './audit.js';

const fill = { tradeId: 'T1', price: '100', qty: '0.5', commission: '0.025', commissionAsset: 'USDC' };
const venue: VenueAccount = {
  apiKey: 'k',
  balances: [{ asset: 'USDC', free: '900.00', locked: '50' }],
  orders: [
    {
      orderId: 'C02__1',
      clientOrderId: 'fp-1',
      symbol: 'BTCUSDC',
      side: 'BUY',
      price: '100',
      origQty: '1',
      executedQty: '0.5',
      status: 'PARTIALLY_FILLED',
      acceptedUnixNs: '1',
      cancelRequestedUnixNs: null,
      closedUnixNs: null,
      fills: [fill],
    },
  ],
};

const ledger = (change: { fills?: boolean; status?: string; free?: string; quiescent?: boolean } = {}) =>
  create(LedgerReplySchema, {
    account: 'main',
    quiescent: change.quiescent ?? true,
    balances: [{ asset: 'USDC', free: change.free ?? '900', locked: '50.0' }],
    orders: [
      {
        clientOrderId: 'fp-1',
        symbol: 'BTCUSDC',
        filledQuantity: '0.50',
        status: change.status ?? 'PARTIALLY_FILLED',
        fills:
          change.fills === false
            ? []
            : [{ tradeId: 'T1', price: '100.0', quantity: '0.5', fee: '0.0250', feeAsset: 'USDC' }],
      },
      // Refused by the venue: it never was an order there.
      { clientOrderId: 'fp-2', symbol: 'BTCUSDC', status: 'REJECTED' },
    ],
  });

test('equal books are equal whatever way their decimals are written', () => {
  expect(compareLedgers(ledger(), venue)).toMatchObject({
    equal: true,
    ordersCompared: 1,
    fillsCompared: 1,
    balancesCompared: 1,
    differences: [],
  });
});

test('a deal that the core never saw makes them unequal and is named', () => {
  const { equal, differences } = compareLedgers(ledger({ fills: false }), venue);
  expect(equal).toBe(false);
  expect(differences).toEqual(['order fp-1 fill T1: core has no such fill, venue has 0.5 at 100']);
});

test('each other difference counts: balance, status, an order more or less, something in flight', () => {
  expect(compareLedgers(ledger({ free: '900.01' }), venue).equal).toBe(false);
  expect(compareLedgers(ledger({ status: 'NEW' }), venue).equal).toBe(false);
  expect(compareLedgers(ledger({ quiescent: false }), venue).equal).toBe(false);
  expect(compareLedgers(ledger(), { ...venue, orders: [] }).equal).toBe(false);
  expect(compareLedgers(create(LedgerReplySchema, { quiescent: true }), venue).equal).toBe(false);
});

const ended = { ...venue.orders[0], clientOrderId: 'fp-0', orderId: 'C02__0', status: 'PARTIALLY_CANCELED' };
const longRun = { ...venue, orders: [ended, ...venue.orders] } as VenueAccount;
const afterLong = (forgottenOrders: bigint, forgottenFills: bigint) =>
  create(LedgerReplySchema, { ...ledger(), forgottenOrders, forgottenFills });

test('finished orders that the core says it forgot are no difference, and are not counted as compared', () => {
  expect(compareLedgers(afterLong(1n, 1n), longRun)).toMatchObject({
    equal: true,
    ordersCompared: 1,
    fillsCompared: 1,
    differences: [],
  });
});

test('one order or fill more or less than the core says it forgot is a difference', () => {
  for (const [orders, fills] of [
    [0n, 0n],
    [2n, 1n],
    [1n, 0n],
    [1n, 2n],
  ] as const)
    expect(compareLedgers(afterLong(orders, fills), longRun).equal, `${orders} ${fills}`).toBe(false);
  expect(compareLedgers(afterLong(1n, 1n), venue).equal).toBe(false);
});

test('an open order is never one that was forgotten', () => {
  const open = { ...longRun, orders: [{ ...ended, status: 'NEW' }, ...venue.orders] } as VenueAccount;
  const { equal, differences } = compareLedgers(afterLong(1n, 1n), open);
  expect(equal).toBe(false);
  expect(differences.at(-1)).toBe('order fp-0: core has no such order, venue has NEW');
  expect(compareLedgers(afterLong(0n, 0n), open).equal).toBe(false);
});

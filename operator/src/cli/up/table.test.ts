import type { ExecutionCore, StrategyInstance, TradingAccount } from '@flashpod/crds';
import { expect, test } from 'vitest';
import { strategyFigures } from './figures.js';
import { renderTable } from './table.js';

const instance = {
  apiVersion: 'trading.flashpod.dev/v1alpha1',
  kind: 'StrategyInstance',
  metadata: { name: 'maker-1a2b3c4d' },
  spec: {
    strategyRef: { name: 'maker' },
    strategy: 'imbalance-maker',
    accountRef: { name: 'main' },
    mode: 'Live',
    symbols: ['ETHUSDC', 'BTCUSDC'],
  },
  status: {
    state: 'Active',
    positions: [
      {
        symbol: 'BTCUSDC',
        quantity: '-0.0012',
        realisedPnl: '1.239',
        unrealisedPnl: '-0.5',
        fees: '0.01',
        openOrders: 2,
      },
    ],
    figures: [{ symbol: 'BTCUSDC', acceptedOrders: 120, fills: 11, rejects: 1 }],
    tickToOrder: { p50Us: 240, p99Us: 1_530 },
  },
} as StrategyInstance;
const core = { status: { books: [{ symbol: 'BTCUSDC', state: 'CERTIFIED' }] } } as ExecutionCore;
const account = { metadata: { name: 'main' }, spec: { environment: 'Production' } } as TradingAccount;

test('one row per strategy and symbol, joined with the state of its book', () => {
  const rows = strategyFigures([instance], [core], [account]);
  expect(rows.map(({ symbol, acceptedOrders, book }) => [symbol, acceptedOrders, book])).toEqual([
    ['BTCUSDC', 120, 'CERTIFIED'],
    ['ETHUSDC', 0, 'none'],
  ]);
});

test('an instance without a status is shown as pending', () => {
  const { status: _, ...bare } = instance;
  expect(strategyFigures([bare], [], [])[0]).toMatchObject({ state: 'Pending', environment: 'unknown' });
});

test('the table lines up its columns and shows the environment of the account in every row', () => {
  const [heading, btc, eth] = renderTable(strategyFigures([instance], [core], [account]));
  expect(heading).toMatch(/^strategy {2}symbol/);
  expect(btc).toContain('Production');
  expect(eth).toContain('Production');
  expect(btc).toContain('240 µs / 1.5 ms');
  expect(btc?.indexOf('CERTIFIED')).toBe(heading?.indexOf('book'));
});

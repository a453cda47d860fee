import type { StrategyInstance } from '@flashpod/crds';
import { expect, test } from 'vitest';
import { withFeePrices } from './fee-prices.js';

const instance = {
  spec: {
    strategyRef: { name: 'taker', uid: 'u' },
    symbols: ['BTCUSDC'],
    capital: [{ asset: 'USDC', amount: '1' }],
  },
  status: {
    figures: [
      {
        symbol: 'BTCUSDC',
        otherFees: [
          { asset: 'MX', amount: '1' },
          { asset: 'KCS', amount: '1' },
          { asset: 'XX', amount: '1' },
          { asset: 'ETH', amount: '1' },
        ],
      },
    ],
  },
} as unknown as StrategyInstance;

test('the exchange is asked for the prices that no book knows; what it does not list has none', async () => {
  const asked: string[] = [];
  const get = <T>(path: string): Promise<T> => {
    asked.push(path);
    const symbol = path.split('=')[1];
    if (symbol === 'KCSUSDC') return Promise.reject(new Error('the venue answered 400'));
    const top =
      symbol === 'MXUSDC' ? { bidPrice: '1.9', askPrice: '2.1' } : { bidPrice: null, askPrice: '1' };
    return Promise.resolve(top as T);
  };
  const prices = await withFeePrices({ get }, [instance], new Map([['ETHUSDC', '2500']]));
  expect([...prices]).toEqual([
    ['ETHUSDC', '2500'],
    ['MXUSDC', '2'],
  ]);
  expect(asked.map((path) => path.split('?')[1])).toEqual([
    'symbol=KCSUSDC',
    'symbol=MXUSDC',
    'symbol=XXUSDC',
  ]);
});

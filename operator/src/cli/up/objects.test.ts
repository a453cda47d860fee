import { expect, test } from 'vitest';
import { venueBalances } from './objects.js';

const strategy = (capital: unknown) => ({
  apiVersion: 'trading.flashpod.dev/v1alpha1',
  kind: 'TradingStrategy',
  metadata: { name: 'mine' },
  spec: { capital },
});

test('the simulated account has four times the capital of all strategies', () => {
  const two = [strategy([{ asset: 'USDC', amount: '100' }]), strategy([{ asset: 'USDC', amount: '0.5' }])];
  expect(venueBalances(two)).toEqual({ USDC: '402.000000' });
});

test('capital that is none gives the account nothing: the manifest is refused when it is applied', () => {
  for (const capital of [undefined, 'USDC', [{ asset: 'USDC', amount: 'plenty' }], [{ asset: 'USDC' }]])
    expect(venueBalances([strategy(capital)])).toEqual({});
});

import { expect, test } from 'vitest';
import { render } from './render.ts';

test('both modes stand below each other, and what differs is said in words', () => {
  const live = { orders: 100, fills: 40, rejects: 1, fees: 1.5, trading: -2 };
  const lines = render({
    seconds: 120,
    strategies: [{ name: 'maker', live, paper: { ...live, fills: 35, trading: -1.25 } }],
    ledgerEqualsVenue: true,
    ordersCompared: 100,
    fillsCompared: 40,
    replay: { equal: false, inputs: 9, actions: 8, requests: 7 },
  });
  const text = lines.join('\n');
  expect(text).toMatch(/maker +Live +100 +40 +1 +1\.50 +-2\.00\nmaker +Paper +100 +35/);
  expect(text).toContain('fills per order 40.0 % live, 35.0 % on paper; trading 0.75 more on paper');
  expect(text).toContain('replay of the journal: DIFFERENT, 9 inputs, 8 actions, 7 requests');
});

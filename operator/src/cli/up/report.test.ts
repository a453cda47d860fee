import { expect, test } from 'vitest';
import type { LedgerComparison } from './audit.js';
import { buildReport, summary } from './report.js';

const equal: LedgerComparison = {
  equal: true,
  ordersCompared: 3,
  fillsCompared: 2,
  balancesCompared: 2,
  differences: [],
};
const run = {
  failure: undefined,
  comparisons: [equal, equal],
  audit: { accounts: [], counters: { http429: 4, http418: 0 } },
  account: undefined,
  cores: [],
  strategies: [],
  comparison: { strategies: [], all: null, notCompared: [] },
  startedAt: 0,
  ranMs: 1_000,
  market: { source: 'synthetic' as const, seed: 1, speed: '1' },
};

test('a ledger equals the venue only when it did each time it was compared', () => {
  expect(buildReport(run)).toMatchObject({ ledgerEqualsVenue: true, ordersCompared: 3, http429: 4 });
  const differs = { ...equal, equal: false, differences: ['USDC free: core has 1, venue has 2'] };
  const report = buildReport({ ...run, comparisons: [differs, equal] });
  expect(report.ledgerEqualsVenue).toBe(false);
  expect(summary(report).join('\n')).toMatch(/DIFFERS FROM.*USDC free/s);
});

test('a run that failed before all was compared does not claim equality, and says what it does not know', () => {
  const report = buildReport({ ...run, comparisons: [equal], audit: undefined, failure: 'the venue ended' });
  expect(report).toMatchObject({ failure: 'the venue ended', ledgerEqualsVenue: false, http429: null });
  expect(summary(report).join('\n')).toMatch(/429s unknown.*NOT COMPARED/s);
});

import { expect, test } from 'vitest';
import { account } from '../../testing/desk.js';
import { ownAudit } from './ledger.js';

test("the core's own audit says what differs, and also that there was none", () => {
  const audited = (status: object) => ownAudit({ ...account(), status });
  expect(audited({ ledgerEqualsVenue: true })).toMatchObject({ equal: true, differences: [] });
  expect(audited({ ledgerEqualsVenue: false, auditDifference: 'USDC: 1 and 2' })).toMatchObject({
    equal: false,
    differences: ['USDC: 1 and 2'],
  });
  expect(audited({})).toMatchObject({
    equal: false,
    differences: ['the core has made no audit of this account'],
  });
});

import { afterEach, beforeEach, expect, test } from 'vitest';
import { TradingAccounts } from '../api/resources.js';
import { eventually } from '../kube/testing/eventually.js';
import { Desk, namespace } from '../testing/desk.js';
import { adopt, renderAdopted } from './adopt.js';

const key = { namespace, name: 'main' };
const difference = 'balance USDC: venue 1250.5, ledger 1000';

let desk: Desk;

beforeEach(async () => {
  desk = await Desk.start();
  await desk.core.start();
  await desk.startAgent('pod-1');
});
afterEach(() => desk.stop());

const told = () => desk.core.desired?.accounts[0]?.adopt;

/** The core says what its audit found. */
async function report(ledgerEqualsVenue: boolean, auditDifference: string): Promise<void> {
  desk.core.account = { ...desk.core.account, ledgerEqualsVenue, auditDifference, auditedUnixNs: 1n };
  desk.core.report();
  await desk.until(
    TradingAccounts,
    'main',
    (account) => (account?.status?.auditDifference ?? '') === auditDifference && !!account?.status?.auditedAt,
  );
}

test('a difference is accepted by an annotation, once the core has taken it in', async () => {
  await report(false, difference);
  const adopting = adopt(desk.client, key, { now: new Date(0), withinMs: 5_000, pollMs: 10 });
  const request = '1970-01-01T00:00:00.000Z';
  await eventually(told, (text) => text === request);
  const amounts = [{ asset: 'USDC', amount: '250.5' }];
  desk.core.account = { ...desk.core.account, adoption: { request, atUnixNs: 1_000_000_000n, amounts } };
  desk.core.report();

  const adopted = await adopting;
  expect(adopted).toEqual({ name: 'main', request, difference, amounts });
  expect(renderAdopted(adopted)).toBe(`account/main adopted: ${difference}\n  USDC 250.5 is unassigned now`);
  const { status } = await desk.client.of(TradingAccounts).get(key);
  expect(status?.adoption).toEqual({ request, at: '1970-01-01T00:00:01.000000Z', amounts });
  // Carried out, it is asked of nobody any more, also not of a core that has lost its journal.
  await eventually(told, (text) => text === '');
});

test('without a difference there is nothing to accept', async () => {
  await report(true, '');
  await expect(adopt(desk.client, key, { now: new Date(), withinMs: 1_000 })).rejects.toMatchObject({
    code: 'cli.nothing-to-adopt',
    message: 'TradingAccount "main" differs from its ledger in nothing: the last audit agreed',
  });
  const { metadata } = await desk.client.of(TradingAccounts).get(key);
  expect(metadata.annotations).toBeUndefined();
});

test('a core that does not take it in is waited for no longer than said', async () => {
  await report(false, 'order fp-1: open at the venue, finished in the ledger');
  await expect(adopt(desk.client, key, { now: new Date(), withinMs: 50, pollMs: 10 })).rejects.toMatchObject({
    code: 'cli.not-adopted',
    message: expect.stringContaining('order fp-1: open at the venue'),
  });
});

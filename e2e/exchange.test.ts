// `flashpod up --venue mexc` against an exchange that it did not start: the simulated one, over TLS, as the real one
// would be reached. The real one cannot be reached from a test.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Report } from '../operator/src/cli/up/report.ts';
import { runFlashpod } from './local-run.ts';
import { type Audit, apiKey, secret, Venue } from './venue.ts';

const folder = mkdtempSync(join(tmpdir(), 'flashpod-exchange-'));
const ca = join(folder, 'ca.pem');
const keys = join(folder, 'keys.json');
const report = join(folder, 'report.json');
let venue: Venue;
let where: string[];

beforeAll(async () => {
  venue = await Venue.start(['--tls', '--ca-out', ca, '--synthetic=3']);
  writeFileSync(keys, JSON.stringify({ apiKey, secretKey: secret }), { mode: 0o600 });
  where = ['up', '--headless', '--venue', 'mexc', '--venue-rest', venue.rest, '--venue-ws', venue.ws];
});
afterAll(() => rmSync(folder, { recursive: true }));

test('an authority that nobody knows is told as such, before anything starts', async () => {
  const { code, output } = await runFlashpod(where);
  expect(output).toMatch(
    /TLS failed: .*\((SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT_LOCALLY)\)/,
  );
  expect(output).toContain('--venue-ca FILE');
  expect(code).toBe(3);
});

test('without keys the samples trade on paper, with public data only, and nothing is sent', async () => {
  const args = ['--venue-ca', ca, '--for', '20s', '--report', report];
  const { code, output } = await runFlashpod([...where, ...args]);
  expect({ code, output }).toMatchObject({ code: 0 });
  expect(output).toMatch(/venue +https:\S+ and wss:\S+ \(Simulated; \d+ pairs; clocks \d+ ms apart\)/);
  const { ledgerEqualsVenue, ordersCompared, strategies } = JSON.parse(
    readFileSync(report, 'utf8'),
  ) as Report;
  expect({ ledgerEqualsVenue, ordersCompared }).toEqual({ ledgerEqualsVenue: true, ordersCompared: 0 });
  expect(new Set(strategies.map(({ mode }) => mode))).toEqual(new Set(['Paper']));
  expect(strategies.reduce((sum, { acceptedOrders }) => sum + acceptedOrders, 0)).toBeGreaterThan(0);
  expect(strategies.reduce((sum, { fills }) => sum + fills, 0)).toBeGreaterThan(0);
  const dispatcher = new Agent({ connect: { ca: readFileSync(ca, 'utf8') } });
  const { body } = await request(`${venue.rest}/audit`, { dispatcher });
  const { accounts } = (await body.json()) as Audit;
  await dispatcher.destroy();
  expect(accounts.map(({ orders }) => orders)).toEqual([[]]);
});

test('with keys it trades there, and the ledger equals that exchange’s books', async () => {
  const args = ['--venue-ca', ca, '--venue-credentials', keys, '--for', '12s', '--report', report];
  const { code, output } = await runFlashpod([...where, ...args]);
  expect({ code, output }).toMatchObject({
    code: 0,
    output: expect.stringContaining("equals the venue's books"),
  });
  const { ledgerEqualsVenue, market, strategies } = JSON.parse(readFileSync(report, 'utf8')) as Report;
  expect(ledgerEqualsVenue).toBe(true);
  expect(market.source).toBe('exchange');
  expect(strategies.reduce((sum, { acceptedOrders }) => sum + acceptedOrders, 0)).toBeGreaterThan(0);
  expect(output).not.toContain(secret);
});

test('an exchange that has gone is told as such', async () => {
  await venue.stop();
  const { code, output } = await runFlashpod([...where, '--venue-ca', ca]);
  expect(output).toContain('the connection was refused: nothing listens there');
  expect(code).toBe(3);
});

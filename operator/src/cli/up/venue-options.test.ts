import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { refuseLiveWithoutKeys } from './external-venue.js';
import { parseUpOptions } from './options.js';
import { type ExternalVenue, parseVenue } from './venue-options.js';

const folder = mkdtempSync(join(tmpdir(), 'flashpod-venue-'));
afterAll(() => rmSync(folder, { recursive: true }));
function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}
const local = { venue: 'mexc', venueRest: 'https://127.0.0.1:1', venueWs: 'wss://127.0.0.1:1/ws' };

test('the real exchange needs nothing but its name, and is Production', () => {
  expect(parseVenue({ venue: 'mexc' })).toEqual({
    rest: 'https://api.mexc.com',
    ws: 'wss://wbs-api.mexc.com/ws',
    environment: 'Production',
    ca: undefined,
    credentials: undefined,
  });
  expect(parseVenue({})).toBeUndefined();
});

test('REST and WebSocket have hosts of their own; any others than the real ones are Simulated', () => {
  const credentials = file('keys.json', '{"apiKey":"a","secretKey":"s"}');
  const ca = file('ca.pem', '-----BEGIN CERTIFICATE-----\n');
  expect(parseVenue({ ...local, venueCredentials: credentials, venueCa: ca })).toMatchObject({
    environment: 'Simulated',
    credentials: { apiKey: 'a', secretKey: 's' },
  });
});

test.each([
  [{ venue: 'binance' }, '--venue: "binance" is not accepted: give one of simulated, mexc'],
  [
    { venueRest: 'https://x' },
    '--venue-rest: "https://x" is not accepted: give it together with --venue mexc',
  ],
  [
    { ...local, venueRest: 'ftp://x' },
    '--venue-rest: "ftp://x" is not accepted: give an address that begins with https:// or http://',
  ],
  [{ ...local, venueRest: 'nonsense' }, '--venue-rest: "nonsense"'],
  [{ ...local, venueWs: 'wss://u:secret@x' }, '--venue-ws: "one with a name or password"'],
  [{ ...local, venueRest: 'https://token@x' }, '--venue-rest: "one with a name or password"'],
  [{ venueRest: 'https://token@x' }, '--venue-rest: "one with a name or password"'],
  [{ ...local, venueRest: 'https://to ken@x' }, '--venue-rest: "one with a name or password"'],
  [{ ...local, venueRest: 'https://x/?key=secret' }, '--venue-rest: "https://x/?…"'],
  [
    { venue: 'mexc', venueWs: 'wss://127.0.0.1:1/ws' },
    '--venue-ws: "wss://127.0.0.1:1/ws" is not accepted: give hosts that are both under mexc.com, or both not',
  ],
  [
    { venue: 'mexc', venueRest: 'https://mexc.com.evil.org' },
    '--venue-rest: "https://mexc.com.evil.org" is not accepted',
  ],
  [{ venue: 'mexc', venueRest: 'http://api.mexc.com' }, 'https:// and wss:// for the real exchange'],
  [
    { ...local, venueCa: '/no/such' },
    '--venue-ca: "/no/such" is not accepted: give a PEM file with a certificate that can be read (ENOENT)',
  ],
  [{ ...local, venueCa: file('no.pem', 'hello') }, 'a PEM file with a certificate'],
  [
    { ...local, venueCredentials: file('k1', '{"apiKey":"a","secretKey":5}') },
    'the texts "apiKey" and "secretKey"',
  ],
])('%j is refused with what is accepted', (flags, message) => {
  expect(() => parseVenue(flags)).toThrow(message);
});

test('an address is judged as it is understood, however it is typed', () => {
  for (const venueRest of ['HTTP://api.mexc.com', ' http://api.mexc.com'])
    expect(() => parseVenue({ venue: 'mexc', venueRest })).toThrow(
      'https:// and wss:// for the real exchange',
    );
  expect(parseVenue({ ...local, venueRest: 'HTTPS://LOCALHOST:1/' })?.rest).toBe('https://localhost:1');
});

test('what is in a file of keys is in no message', () => {
  for (const text of ['{"apiKey":"planted-secret"', '{"apiKey":"planted-secret"}', 'planted-secret'])
    expect(() => parseVenue({ ...local, venueCredentials: file('k2', text) })).toThrow(
      /^(?!.*planted).*apiKey/,
    );
});

test('a market of our own has no place on an exchange', () => {
  const set = { ...local, venueSet: ['latencyMs=1'] };
  expect(() => parseUpOptions(set, 0)).toThrow(
    '--venue-set: "latencyMs=1" is not accepted: give it without --venue mexc',
  );
  const accounts = { ...local, venueAccounts: file('accounts.json', '{"accounts":[]}') };
  expect(() => parseUpOptions(accounts, 0)).toThrow(/^--venue-accounts: .*without --venue mexc/);
});

test('without keys nothing is Live', () => {
  const venue = parseVenue(local) as ExternalVenue;
  const strategy = (mode: string) => ({
    apiVersion: 'x',
    kind: 'TradingStrategy',
    metadata: { name: 'mine' },
    spec: { mode },
  });
  for (const mode of ['Paper', 'Shadow']) refuseLiveWithoutKeys([strategy(mode)], venue);
  expect(() => refuseLiveWithoutKeys([strategy('Live')], venue)).toThrow(
    'TradingStrategy "mine": spec.mode: "Live" is not accepted; accepted: Paper or Shadow',
  );
  refuseLiveWithoutKeys([strategy('Live')], { ...venue, credentials: { apiKey: 'a', secretKey: 's' } });
});

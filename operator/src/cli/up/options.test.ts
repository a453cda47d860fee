import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { parseUpOptions } from './options.js';
import { recordedPairs, splitSymbol } from './recording.js';

const folder = mkdtempSync(join(tmpdir(), 'flashpod-options-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('flags left out have their documented defaults', () => {
  expect(parseUpOptions({}, 5)).toMatchObject({
    replay: [],
    seed: 1,
    speed: '1',
    loop: false,
    forMs: undefined,
    headless: false,
    restartBackoffMs: 300_000,
    startedAt: 5,
  });
});

test.each([
  [{ for: 'soon' }, '--for: "soon" is not accepted: give a duration above zero such as 60s, 2m or 500ms'],
  [{ for: '0s' }, '--for: "0s"'],
  [{ for: '600h' }, '--for: "600h" is not accepted: give a duration of at most 596h'],
  [{ seed: '-1' }, '--seed: "-1"'],
  [{ speed: 'fast' }, '--speed: "fast" is not accepted: give 1 (real time), a factor up to 1000, or max'],
  [{ replay: ['/no/such/file'] }, '--replay: "/no/such/file" is not accepted: give a file that exists'],
  [{ report: '/no/such/folder/r.json' }, '--report: "/no/such/folder/r.json"'],
  [
    { restartBackoff: '500ms' },
    '--restart-backoff: "500ms" is not accepted: give a duration from 1s to 300s',
  ],
  [{ loop: true }, '--loop: "true" is not accepted: give it with --replay only'],
  [{ venueSet: ['latency'] }, '--venue-set: "latency" is not accepted: give NAME=VALUE'],
])('a wrong flag is named with its value and what is accepted: %j', (flags, message) => {
  expect(() => parseUpOptions(flags, 0)).toThrow(message);
});

test('more accounts of the venue come from a file in its own format', () => {
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const accounts = [{ apiKey: 'k', secretKey: 's', balances: { USDC: '1' } }];
  const good = file('accounts.json', JSON.stringify({ accounts }));
  expect(parseUpOptions({ venueAccounts: good }, 0).venueAccounts).toEqual(accounts);
  for (const wrong of [file('list.json', '[]'), file('text.json', 'accounts: []')])
    expect(() => parseUpOptions({ venueAccounts: wrong }, 0)).toThrow(
      `--venue-accounts: "${wrong}" is not accepted: give a JSON file as flashpod-venue takes it`,
    );
});

test('durations take a unit', () => {
  expect(parseUpOptions({ for: '1.5m' }, 0).forMs).toBe(90_000);
  expect(parseUpOptions({ for: '20' }, 0).forMs).toBe(20_000);
});

test('a recording tells its pair and a price, also from the cut head of a gzip file', async () => {
  const file = join(folder, 'a.gz');
  const frame = '1723161253937085768 {"stream":"x","data":{"s":"BTCUSDT","b":[["61737.63","0"]],"a":[]}}\n';
  writeFileSync(file, gzipSync(frame.repeat(100)).subarray(0, -6));
  expect(await recordedPairs([file, file])).toEqual([
    { symbol: 'BTCUSDT', base: 'BTC', quote: 'USDT', price: 61737.63 },
  ]);
});

test('a file that is no recording is refused by name', async () => {
  const file = join(folder, 'b.txt');
  writeFileSync(file, 'hello\n');
  await expect(recordedPairs([file])).rejects.toThrow(`--replay: ${JSON.stringify(file)} is not accepted`);
});

test('futures names lose their suffix', () => {
  expect(splitSymbol('BTCUSD_PERP')).toEqual({ base: 'BTC', quote: 'USD' });
  expect(splitSymbol('USDT')).toBeUndefined();
});

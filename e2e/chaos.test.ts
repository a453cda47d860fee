import { expect, test } from 'vitest';
import { faults, strikes } from './chaos/run.ts';
import { textOf } from './chaos/strikes.ts';

// The short ones of `npm run chaos`, whose forty kills and forty stops, and ten minutes of faults, take half an hour.

const seed = 5;

test('after a kill and a stop of each part under load, no order is lost, doubled or above a limit', async () => {
  const { recoveries, complaints, fills } = await strikes(4, 4, seed, () => {});
  process.stdout.write(`chaos, seed ${seed}:\n${recoveries.map(textOf).join('\n')}\n`);
  expect(complaints).toEqual([]);
  expect(recoveries).toHaveLength(8);
  expect(fills).toBeGreaterThan(0);
});

test('after dense faults between core and exchange, the ledger equals its books', async () => {
  const { complaints, orders, fills } = await faults(15_000, seed, () => {}, 3);
  expect(complaints).toEqual([]);
  expect(orders).toBeGreaterThan(0);
  expect(fills).toBeGreaterThan(0);
});

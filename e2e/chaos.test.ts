import { expect, test } from 'vitest';
import { faults, strikes } from './chaos/run.ts';
import { textOf } from './chaos/strikes.ts';

// The short ones of `npm run chaos`, whose forty kills and forty stops, and ten minutes of faults, take half an hour.

const seed = 5;

test('after a kill and a stop of each part under load, no order is lost, doubled or above a limit', async () => {
  const { recoveries, complaints, fills } = await strikes(4, 4, seed, () => {});
  process.stdout.write(`chaos, seed ${seed}:\n${recoveries.map(textOf).join('\n')}\n`);
  expect(complaints).toEqual([]);
  // One kill and one stop of each part, and something was at stake.
  expect(new Set(recoveries.map(({ kind, part }) => `${kind} ${part}`)).size).toBe(8);
  expect(recoveries.filter(({ openOrders }) => openOrders > 0).length).toBeGreaterThan(4);
  expect(fills).toBeGreaterThan(0);
});

test('after dense faults between core and exchange, the ledger equals its books', async () => {
  const { complaints, met, orders, fills } = await faults(15_000, seed, () => {}, 3);
  process.stdout.write(`faults, seed ${seed}: ${JSON.stringify(met)}\n`);
  expect(complaints).toEqual([]);
  // Some of several kinds, or nothing was tried.
  const struck = Object.values(met).filter((count) => count > 0);
  expect(struck.length).toBeGreaterThanOrEqual(4);
  expect(struck.reduce((sum, count) => sum + count)).toBeGreaterThan(10);
  expect(orders).toBeGreaterThan(0);
  expect(fills).toBeGreaterThan(0);
});

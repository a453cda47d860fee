import { expect, test } from 'vitest';
import { strikes } from './chaos/run.ts';
import { textOf } from './chaos/strikes.ts';

// The short one of `npm run chaos`, whose forty kills and forty stops take a quarter of an hour.

test('after a kill and a stop of each part under load, no order is lost, doubled or above a limit', async () => {
  const seed = 5;
  const { recoveries, complaints, fills } = await strikes(4, 4, seed, () => {});
  process.stdout.write(`chaos, seed ${seed}:\n${recoveries.map(textOf).join('\n')}\n`);
  expect(complaints).toEqual([]);
  expect(recoveries).toHaveLength(8);
  expect(fills).toBeGreaterThan(0);
});

import { decimalParameter } from '@flashpod/sdk';
import { z } from 'zod';

export const parameters = z.strictObject({
  orderNotional: decimalParameter()
    .default('50')
    .describe('Value of each quote, in the quote asset of the pair. Must reach the pair’s minimum notional.'),
  maxInventoryNotional: decimalParameter()
    .default('200')
    .describe(
      'Largest |position| per pair that quotes may build, in the quote asset. A side that would pass it is pulled.',
    ),
  imbalanceSkewBps: z
    .number()
    .min(0)
    .max(100)
    .default(0.2)
    .describe('Shift of both quotes towards the heavier side at full book imbalance, in basis points.'),
  imbalanceLevels: z
    .number()
    .int()
    .min(1)
    .max(10)
    .default(5)
    .describe('Levels per side that count as book imbalance.'),
  pullImbalance: z
    .number()
    .min(0.000001)
    .max(1)
    .default(0.9)
    .describe('The side that a book imbalance beyond this speaks against is pulled. 1: never.'),
  inventorySkewBps: z
    .number()
    .min(0)
    .max(100)
    .default(1)
    .describe('Shift of both quotes against the position at full inventory, in basis points.'),
  toleranceTicks: z
    .number()
    .int()
    .min(0)
    .max(1_000_000)
    .default(200)
    .describe(
      'A resting quote stays while its price is this near to the wanted one, in ticks: the price of frugality with the order rate.',
    ),
  pauseAfterBps: z
    .number()
    .min(0)
    .max(1_000)
    .default(10)
    .describe('Quoting pauses when the mid moves by more than this within a second, in basis points.'),
  pauseMs: z
    .number()
    .int()
    .min(0)
    .max(600_000)
    .default(2_000)
    .describe('Length of a pause, in milliseconds.'),
});

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
  minEdgeBps: z
    .number()
    .min(0)
    .max(100)
    .default(0)
    .describe('Least distance of a quote from the fair price, in basis points of it.'),
  inventorySkewBps: z
    .number()
    .min(0)
    .max(100)
    .default(1)
    .describe('Shift of the fair price against the position at full inventory, in basis points.'),
  imbalanceSkewBps: z
    .number()
    .min(0)
    .max(100)
    .default(0.2)
    .describe('Shift of the fair price towards the heavier side at full book imbalance, in basis points.'),
  imbalanceLevels: z
    .number()
    .int()
    .min(1)
    .max(20)
    .default(5)
    .describe('Levels per side that count as book imbalance.'),
  toleranceBps: z
    .number()
    .min(0)
    .max(100)
    .default(0.15)
    .describe(
      'A resting quote stays while its price is this near to the wanted one, in basis points: the price of frugality with the order rate.',
    ),
});

export type Parameters = z.infer<typeof parameters>;

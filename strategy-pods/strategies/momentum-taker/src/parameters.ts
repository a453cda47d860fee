import { decimalParameter } from '@flashpod/sdk';
import { z } from 'zod';

export const parameters = z.strictObject({
  orderNotional: decimalParameter()
    .default('50')
    .describe('Value of each entry, in the quote asset of the pair. Must reach the pair’s minimum notional.'),
  flowWindowMs: z
    .number()
    .int()
    .min(10)
    .max(60_000)
    .default(150)
    .describe('Memory of the order flow: trades fade with this time constant, in milliseconds.'),
  baselineMs: z
    .number()
    .int()
    .min(1_000)
    .max(3_600_000)
    .default(30_000)
    .describe('Time over which the typical strength of the flow is learnt, in milliseconds.'),
  burst: z
    .number()
    .min(0.1)
    .max(100)
    .default(1.2)
    .describe('Flow that counts as a burst, as a multiple of its typical strength.'),
  minImbalance: z
    .number()
    .min(-1)
    .max(1)
    .default(0)
    .describe(
      'Least book imbalance in the direction of the burst: −1 asks for nothing, 1 for a one-sided book.',
    ),
  imbalanceLevels: z
    .number()
    .int()
    .min(1)
    .max(20)
    .default(5)
    .describe('Levels per side that count as book imbalance.'),
  collarBps: z
    .number()
    .min(0)
    .max(500)
    .default(2)
    .describe('How far through the touch an order may trade, in basis points.'),
  stopBps: z
    .number()
    .min(0.1)
    .max(1_000)
    .default(3)
    .describe('Move of the mid against the entry price that ends the trade, in basis points.'),
  holdMs: z
    .number()
    .int()
    .min(1)
    .max(3_600_000)
    .default(400)
    .describe('Longest time a position is held, in milliseconds.'),
  coolDownMs: z
    .number()
    .int()
    .min(0)
    .max(3_600_000)
    .default(100)
    .describe('Pause after each trade, in milliseconds.'),
});

export type Parameters = z.infer<typeof parameters>;

// momentum-taker: goes with bursts of aggressive order flow for a moment, with a stop.

import { type Context, defineStrategy, type SymbolName } from '@flashpod/sdk';
import { type Parameters, parameters } from './parameters.js';
import { Taker, type Takers } from './taker.js';

export { FlowMeter } from './flow.js';
export type { Parameters } from './parameters.js';
export type { Phase } from './phase.js';

export default defineStrategy({
  name: 'momentum-taker',
  version: '1.0.0',
  description:
    'Takes in the direction of bursts of order flow that the book confirms; leaves by stop or time.',
  parameters,
  timerMs: 50,
  memory: (): Takers => new Map(),

  onBook: (context, book) => takerOf(context, book.symbol).decide(context),

  onTrade(context, batch) {
    const taker = takerOf(context, batch.symbol);
    taker.flow.add(batch.trades, context.nowMs());
    taker.decide(context);
  },

  onOrder: (context, event) => takerOf(context, event.symbol).onOrder(context, event),

  // Time passes in quiet markets too.
  onTimer(context) {
    for (const symbol of context.symbols) takerOf(context, symbol).decide(context);
  },
});

function takerOf(context: Context<Parameters, Takers>, symbol: SymbolName): Taker {
  const known = context.memory.get(symbol);
  if (known !== undefined) return known;
  const taker = new Taker(symbol, context.parameters);
  context.memory.set(symbol, taker);
  return taker;
}

// Quotes both sides at the touch, one side only once the position is large.

import {
  bestAsk,
  bestBid,
  decimalParameter,
  defineStrategy,
  hasBothSides,
  quantityForNotional,
  roundPrice,
  z,
} from '@flashpod/sdk';

export default defineStrategy({
  name: '__NAME__',
  version: '0.1.0',
  description: 'Quotes both sides at the touch.',
  // Checked when the manifest is applied. Each has a default and a description that says its unit.
  parameters: z.strictObject({
    orderNotional: decimalParameter().default('200').describe('Value of each quote, in the quote asset.'),
    maxPositionNotional: decimalParameter()
      .default('2000')
      .describe(
        'Value of the position, in the quote asset, from which on only the side that reduces it is quoted.',
      ),
    toleranceTicks: z
      .number()
      .int()
      .min(0)
      .max(10_000)
      .default(200)
      .describe('A quote stays while its price is this near to the wanted one, in ticks.'),
  }),
  // What the strategy remembers between callbacks; made once per process.
  memory: () => undefined,

  onBook(context, book) {
    // Nothing of ours rests on a book that may be wrong, or while the core opens no risk.
    if (!book.certified || !hasBothSides(book) || context.state !== 'Active') {
      context.quote(book.symbol);
      return;
    }
    const { orderNotional, maxPositionNotional, toleranceTicks } = context.parameters;
    const instrument = context.instrument(book.symbol);
    const position = Number(context.position(book.symbol).quantity) * bestBid(book);
    const quoteAt = (price: number, rounding: 'down' | 'up') => {
      const onGrid = roundPrice(instrument, price, rounding);
      const quantity = quantityForNotional(instrument, orderNotional, onGrid);
      return quantity && { price: onGrid, quantity };
    };
    const bid = position < Number(maxPositionNotional) ? quoteAt(bestBid(book), 'down') : undefined;
    const ask = position > -Number(maxPositionNotional) ? quoteAt(bestAsk(book), 'up') : undefined;
    // What is wanted from now on: the core compares it with what rests, and sends only the difference.
    context.quote(book.symbol, bid, ask, { tolerance: toleranceTicks });
  },
});

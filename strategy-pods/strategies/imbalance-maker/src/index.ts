// imbalance-maker: two quotes round the microprice, skewed by inventory and book imbalance.

import {
  affordable,
  bpsToTicks,
  defineStrategy,
  hasBothSides,
  microprice,
  type QuoteSide,
  type Side,
} from '@flashpod/sdk';
import { parameters } from './parameters.js';
import { wantedPair } from './quotes.js';

export type { Parameters } from './parameters.js';
export { fairPrice, type WantedPair, wantedPair } from './quotes.js';

export default defineStrategy({
  name: 'imbalance-maker',
  version: '1.0.0',
  description: 'Quotes both sides at or behind the touch, leaning against its inventory and with the book.',
  parameters,
  memory: () => undefined,

  onBook(context, book) {
    // A book that may be wrong, or a core that opens no risk: nothing of ours may rest on it.
    if (!book.certified || !hasBothSides(book) || context.state !== 'Active') {
      context.quote(book.symbol);
      return;
    }
    const instrument = context.instrument(book.symbol);
    const position = Number(context.position(book.symbol).quantity);
    const { bid, ask } = wantedPair(instrument, book, position, context.parameters);
    const tolerance = bpsToTicks(instrument, context.parameters.toleranceBps, microprice(book));
    const covered = (side: Side, quote?: QuoteSide) =>
      quote && affordable(context.balances, instrument, side, quote.quantity, quote.price)
        ? quote
        : undefined;
    context.quote(book.symbol, covered('Buy', bid), covered('Sell', ask), { tolerance });
  },
});

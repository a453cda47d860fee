// A strategy for tests that trades, and after so many books misbehaves as its parameter `fault` says.

import { bestAsk, bestBid, defineStrategy, quantityForNotional, roundPrice } from '@flashpod/sdk';
import { z } from 'zod';

const faults = {
  none: () => {},
  throw: () => {
    throw new Error('asked to throw');
  },
  reject: () => void Promise.reject(new Error('nobody waits for this')),
  block: () => {
    for (;;);
  },
  /** Some 8 MiB a book, for good. */
  leak: ({ memory }) => void memory.kept.push(Buffer.alloc(8 << 20, 1)),
  /** Far more intents at each book than anybody could want. */
  flood: (context, book) => {
    const order = resting(context, book);
    for (let i = 0; i < 1_000; i++) context.send(order);
  },
};

/** An order that is not filled: 0.5 % below the bid, within the collar. */
function resting(context, { symbol, ...book }) {
  const instrument = context.instrument(symbol);
  const price = roundPrice(instrument, bestBid(book) * 0.995, 'down');
  const quantity = quantityForNotional(instrument, '20', price);
  return { symbol, side: 'Buy', type: 'LimitMaker', price, quantity };
}

/** Buys at once, for a position that there is to close. */
function entry(context, { symbol, ...book }) {
  const instrument = context.instrument(symbol);
  const price = roundPrice(instrument, bestAsk(book) * 1.001, 'up');
  return { symbol, side: 'Buy', type: 'Ioc', price, quantity: quantityForNotional(instrument, '100', price) };
}

export default defineStrategy({
  name: 'odd-strategy',
  version: '0.1.0',
  description: 'Misbehaves on demand.',
  parameters: z.strictObject({
    fault: z.enum(Object.keys(faults)).default('none').describe('What it does after `books` books.'),
    books: z.number().int().min(1).default(60).describe('Books until then.'),
  }),
  memory: () => ({
    books: 0,
    entry: undefined,
    resting: undefined,
    hasEntered: false,
    isResting: false,
    kept: [],
  }),
  onBook(context, book) {
    if (!book.certified || bestAsk(book) === undefined || bestBid(book) === undefined) return;
    const { memory, parameters } = context;
    if (context.state !== 'Active') return;
    memory.entry ??= context.send(entry(context, book));
    memory.resting ??= context.send(resting(context, book));
    // It misbehaves only once there is something to lose.
    if (memory.isResting && memory.hasEntered) memory.books += 1;
    if (memory.books > parameters.books) faults[parameters.fault](context, book);
    const side = (price) => ({
      price,
      quantity: quantityForNotional(context.instrument(book.symbol), '50', price),
    });
    const instrument = context.instrument(book.symbol);
    const bid = side(roundPrice(instrument, bestBid(book), 'down'));
    context.quote(book.symbol, bid, side(roundPrice(instrument, bestAsk(book), 'up')));
  },
  onOrder({ memory }, { ref, kind }) {
    if (ref === undefined) return;
    if (ref === memory.resting && kind === 'Accepted') memory.isResting = true;
    if (ref === memory.entry && kind === 'Filled') memory.hasEntered = true;
    // Refused since it came too early, or cancelled by the core: it is tried again.
    if (kind !== 'Rejected' && kind !== 'Cancelled') return;
    if (ref === memory.resting) memory.resting = undefined;
    if (ref === memory.entry) memory.entry = undefined;
  },
});

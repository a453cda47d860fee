// A sidecar of `flashpod-bench --only sidecar-tick-to-order`: quotes both sides at the touch whenever that has moved.
// Ends when its input does.

import { parseArgs } from 'node:util';
import {
  type BookView,
  defineStrategy,
  hasBothSides,
  type PriceText,
  type QuantityText,
} from '@flashpod/sdk';
import { z } from 'zod';
import { quietSidecar } from './quiet.ts';

const { values } = parseArgs({
  options: {
    socket: { type: 'string', default: '' },
    instance: { type: 'string', default: '' },
    token: { type: 'string', default: '' },
    digits: { type: 'string', default: '2' },
  },
});
const digits = Number(values.digits);
const quantity = '0.001' as QuantityText;
let quoted: readonly [number | undefined, number | undefined] = [undefined, undefined];

const text = (price: number | undefined): PriceText => (price ?? 0).toFixed(digits) as PriceText;

function hasMoved({ bids, asks }: BookView): boolean {
  const touch = [bids.prices[0], asks.prices[0]] as const;
  const moved = touch[0] !== quoted[0] || touch[1] !== quoted[1];
  quoted = touch;
  return moved;
}

const strategy = defineStrategy({
  name: 'touch',
  version: '1.0.0',
  description: 'Quotes both sides at the touch.',
  parameters: z.strictObject({}),
  memory: () => undefined,
  onBook(context, book) {
    if (!book.certified || !hasBothSides(book) || !hasMoved(book)) return;
    const side = (price: number | undefined) => ({ price: text(price), quantity });
    context.quote(book.symbol, side(book.bids.prices[0]), side(book.asks.prices[0]));
  },
});

const sidecar = quietSidecar(strategy, values);
sidecar.start();
process.stdin.resume();
process.stdin.on('end', () => void sidecar.stop().then(() => process.exit(0)));

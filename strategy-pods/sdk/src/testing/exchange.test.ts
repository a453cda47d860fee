import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { PriceText, QuantityText, SymbolName } from '../brand.js';
import type { OrderEvent, OrderType, Side } from '../events.js';
import { defineStrategy, type IntentRequest } from '../strategy.js';
import { type Levels, Stage, type StageOptions, sketchInstrument } from './index.js';

const btc = 'BTCUSDC' as SymbolName;
const text = (price: number) => price.toFixed(2) as PriceText;
const size = (quantity: number) => quantity.toFixed(5) as QuantityText;

interface Told {
  quotes?: { bid?: [number, number]; ask?: [number, number]; tolerance?: number };
  intent?: { side: Side; type: OrderType; price?: number; quantity: number };
  cancel?: true;
}

/** A strategy that does what the test tells it with the next book, and remembers what it hears. */
function puppet(options: StageOptions = {}) {
  const heard: OrderEvent[] = [];
  let told: Told = {};
  const definition = defineStrategy({
    name: 'puppet',
    version: '1.0.0',
    description: 'for tests',
    parameters: z.strictObject({}),
    memory: () => undefined,
    onBook(context) {
      const { quotes, intent, cancel } = told;
      told = {};
      const side = (quote?: [number, number]) => quote && { price: text(quote[0]), quantity: size(quote[1]) };
      if (quotes)
        context.quote(btc, side(quotes.bid), side(quotes.ask), { tolerance: quotes.tolerance ?? 0 });
      if (intent) {
        const { price, quantity, ...rest } = intent;
        const priced = price === undefined ? {} : { price: text(price) };
        context.send({ symbol: btc, ...rest, ...priced, quantity: size(quantity) } as IntentRequest);
      }
      if (cancel) context.cancelAll();
    },
    onOrder: (_, event) => void heard.push(event),
  });
  const stage = new Stage(definition, {
    fills: 'simulated',
    instruments: [sketchInstrument({ takerFee: '0.001' })],
    ...options,
  });
  const bids: Levels = [
    [100, 2],
    [99, 5],
  ];
  const asks: Levels = [
    [101, 1],
    [102, 3],
  ];
  return {
    stage,
    heard,
    kinds: () => heard.map(({ kind }) => kind),
    fills: () => heard.flatMap(({ fill }) => (fill ? [[Number(fill.price), Number(fill.quantity)]] : [])),
    does(what: Told, levels: { bids?: Levels; asks?: Levels } = {}) {
      // Twice: the strategy acts on a book that the exchange has seen.
      stage.book('BTCUSDC', levels.bids ?? bids, levels.asks ?? asks);
      told = what;
      stage.book('BTCUSDC', levels.bids ?? bids, levels.asks ?? asks);
    },
  };
}

test('an order rests behind what is displayed; trades eat that first', () => {
  const { stage, does, fills, heard } = puppet();
  does({ quotes: { bid: [100, 1] } });
  stage.trade('BTCUSDC', 'Sell', 100, 1.5);
  expect(fills()).toEqual([]);
  stage.trade('BTCUSDC', 'Sell', 100, 0.75);
  expect(fills()).toEqual([[100, 0.25]]);
  stage.trade('BTCUSDC', 'Sell', 100, 5);
  expect(fills()).toEqual([
    [100, 0.25],
    [100, 0.75],
  ]);
  expect(heard.at(-1)).toMatchObject({ kind: 'Filled', fill: { maker: true, fee: '0' }, slot: 0 });
  expect(stage.openOrders).toEqual([]);
});

test('a level that shrinks without a trade shrank behind the order, but not below what is left ahead', () => {
  const { stage, does, fills } = puppet();
  does({ quotes: { bid: [100, 1] } });
  stage.book('BTCUSDC', [[100, 0.5]], [[101, 1]]);
  stage.trade('BTCUSDC', 'Sell', 100, 0.75);
  expect(fills()).toEqual([[100, 0.25]]);
});

test('a trade through the price fills up to its quantity; one of the own side, or a book, fills nothing', () => {
  const { stage, does, fills } = puppet();
  does({ quotes: { bid: [100, 1] } });
  stage.trade('BTCUSDC', 'Buy', 99, 5);
  stage.book('BTCUSDC', [[98, 1]], [[99, 1]]);
  expect(fills()).toEqual([]);
  stage.trade('BTCUSDC', 'Sell', 99.5, 0.4);
  expect(fills()).toEqual([[100, 0.4]]);
});

test('takers get what is displayed, which comes back with the next book', () => {
  const { does, fills, kinds } = puppet();
  does({ intent: { side: 'Buy', type: 'Ioc', price: 101.5, quantity: 2 } });
  expect(kinds()).toEqual(['Accepted', 'PartiallyFilled', 'Cancelled']);
  does({ intent: { side: 'Buy', type: 'Market', quantity: 3 } });
  expect(fills()).toEqual([
    [101, 1],
    [101, 1],
    [102, 2],
  ]);
});

test('two takers in one callback share what is displayed', () => {
  const heard: OrderEvent[] = [];
  let sent = false;
  const greedy = defineStrategy({
    name: 'greedy',
    version: '1.0.0',
    description: 'for tests',
    parameters: z.strictObject({}),
    memory: () => undefined,
    onBook(context) {
      if (sent) return;
      sent = true;
      for (let i = 0; i < 2; i++)
        context.send({ symbol: btc, side: 'Buy', type: 'Ioc', price: text(101), quantity: size(0.75) });
    },
    onOrder: (_, event) => void heard.push(event),
  });
  new Stage(greedy, { fills: 'simulated' }).book('BTCUSDC', [[100, 1]], [[101, 1]]);
  expect(heard.flatMap(({ fill }) => fill?.quantity ?? [])).toEqual(['0.75', '0.25']);
});

test('a LIMIT_MAKER that would take is rejected, FOK is all or nothing, a LIMIT rests with what is left', () => {
  const { stage, does, kinds, heard } = puppet();
  does({ quotes: { bid: [101, 1] } });
  expect(heard).toMatchObject([{ kind: 'Rejected', code: 'MEXC_30041' }]);
  does({ intent: { side: 'Buy', type: 'Fok', price: 101, quantity: 1.5 } });
  expect(kinds().slice(1)).toEqual(['Accepted', 'Cancelled']);
  does({ intent: { side: 'Buy', type: 'Limit', price: 101, quantity: 1.5 } });
  expect(kinds().slice(3)).toEqual(['Accepted', 'PartiallyFilled']);
  expect(stage.openOrders).toHaveLength(1);
  does({ cancel: true });
  expect(heard.at(-1)).toMatchObject({ kind: 'Cancelled', filledQuantity: '1' });
});

test('a quote stays within the tolerance and is replaced beyond it', () => {
  const { does, kinds, heard } = puppet();
  does({ quotes: { bid: [99, 1], tolerance: 10 } });
  does({ quotes: { bid: [99.1, 1], tolerance: 10 } });
  expect(kinds()).toEqual(['Accepted']);
  does({ quotes: { bid: [99.11, 1], tolerance: 10 } });
  expect(kinds()).toEqual(['Accepted', 'Cancelled', 'Accepted']);
  expect(heard.at(-1)?.price).toBe('99.11');
  does({ quotes: {} });
  expect(kinds().at(-1)).toBe('Cancelled');
});

test('own coins must cover an order, those locked in others not counted twice', () => {
  const { does, heard } = puppet({ capital: { USDC: '150', BTC: '0' } });
  does({ quotes: { bid: [99, 1] } });
  does({ intent: { side: 'Buy', type: 'Limit', price: 99, quantity: 1 } });
  does({ intent: { side: 'Sell', type: 'Ioc', price: 100, quantity: 0.1 } });
  expect(heard.map(({ kind, code }) => `${kind} ${code}`)).toEqual([
    'Accepted ',
    'Rejected RISK_BALANCE',
    'Rejected RISK_BALANCE',
  ]);
});

test('orders of all pairs draw on the same coins', () => {
  const bidder = defineStrategy({
    name: 'bidder',
    version: '1.0.0',
    description: 'for tests',
    parameters: z.strictObject({}),
    memory: () => undefined,
    onBook: (context, { symbol }) => context.quote(symbol, { price: text(100), quantity: size(6) }),
  });
  const instruments = [sketchInstrument(), sketchInstrument({ symbol: 'ETHUSDC', base: 'ETH' })];
  const stage = new Stage(bidder, { fills: 'simulated', instruments, capital: { USDC: '1000' } });
  for (const { symbol } of instruments) stage.book(symbol, [[100, 1]], [[101, 1]]);
  expect(stage.openOrders.map(({ symbol }) => symbol)).toEqual(['BTCUSDC']);
});

test('with a latency nothing becomes of a decision before it', () => {
  const { stage, does, kinds } = puppet({ latencyMs: 5 });
  does({ quotes: { bid: [99, 1] } });
  stage.advance(4.9);
  expect(kinds()).toEqual([]);
  stage.advance(0.1);
  expect(kinds()).toEqual(['Accepted']);
});

test('own fills at a price never exceed the volume traded at or through it', () => {
  const trade = fc.record({
    side: fc.constantFrom<Side>('Buy', 'Sell'),
    price: fc.integer({ min: 98, max: 103 }),
    quantity: fc.integer({ min: 1, max: 30 }).map((tenths) => tenths / 10),
    requote: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(trade, { minLength: 1, maxLength: 40 }), (trades) => {
      const { stage, does, heard } = puppet();
      does({ quotes: { bid: [100, 1], ask: [101, 1] } });
      const volume = { Buy: 0, Sell: 0 };
      for (const { side, price, quantity, requote } of trades) {
        if (side === 'Sell' ? price <= 100 : price >= 101) volume[side] += quantity;
        stage.trade('BTCUSDC', side, price, quantity);
        if (requote) does({ quotes: { bid: [100, 1], ask: [101, 1] } });
      }
      for (const side of ['Buy', 'Sell'] as const) {
        const filled = heard
          .filter((event) => event.side === side && event.fill)
          .reduce((sum, event) => sum + Number(event.fill?.quantity), 0);
        expect(filled).toBeLessThanOrEqual(volume[side === 'Buy' ? 'Sell' : 'Buy'] + 1e-9);
      }
    }),
  );
});

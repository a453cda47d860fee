import { expect, test } from 'vitest';
import { z } from 'zod';
import type { PriceText, QuantityText, SymbolName } from '../brand.js';
import type { OrderEvent } from '../events.js';
import { type Context, defineStrategy, type StrategyDefinition } from '../strategy.js';
import {
  type AnyStage,
  assertCount,
  assertGauge,
  assertIntent,
  assertLogged,
  assertNoIntent,
  assertNoQuotes,
  assertQuotes,
  assertSilent,
  Stage,
  type StageOptions,
  StrategyFailure,
  scripted,
  sketchBook,
  sketchInstrument,
  sketchPosition,
  VirtualClock,
} from './index.js';

const btc = 'BTCUSDC' as SymbolName;
type Memory = { events: OrderEvent[]; ticks: number[] };
type Callbacks = Partial<StrategyDefinition<object, Memory>>;

function stageOf(callbacks: Callbacks, options: StageOptions = {}): Stage<object, Memory> {
  const definition = defineStrategy<object, Memory>({
    name: 'sample',
    version: '1.0.0',
    description: 'for tests',
    parameters: z.strictObject({}),
    memory: () => ({ events: [], ticks: [] }),
    ...callbacks,
  });
  return new Stage(definition, options);
}

const order = (side: 'Buy' | 'Sell', quantity = '0.01') => ({
  symbol: btc,
  side,
  type: 'Ioc' as const,
  price: '100' as PriceText,
  quantity: quantity as QuantityText,
});
const show = (stage: AnyStage) => stage.book('BTCUSDC', [[99, 1]], [[100, 1]]);

test('tasks of the clock run in order of time and see the clock at their time', () => {
  const clock = new VirtualClock();
  const seen: [string, number][] = [];
  clock.at(1_020, () => seen.push(['late', clock.ms]));
  clock.at(1_010, () => {
    seen.push(['early', clock.ms]);
    clock.at(1_015, () => seen.push(['between', clock.ms]));
  });
  clock.moveTo(1_019);
  expect(seen).toEqual([
    ['early', 1_010],
    ['between', 1_015],
  ]);
  clock.jumpTo(5_000);
  expect(seen).toHaveLength(2);
  clock.moveTo(5_001);
  expect(seen.at(-1)).toEqual(['late', 5_001]);
});

test('timers run when their time has come, and in between nothing does', () => {
  const ticks: number[] = [];
  const stage = stageOf({ timerMs: 50, onTimer: (context) => void ticks.push(context.nowMs()) });
  stage.advance(49);
  expect(ticks).toEqual([]);
  stage.advance(101);
  expect(ticks).toEqual([1_050, 1_100, 1_150]);
});

test('an exception of the strategy fails the test with the event, its number and its time', () => {
  const stage = stageOf({
    onBook() {
      throw new Error('broken');
    },
  });
  stage.advance(250);
  const failed = () => stage.book('BTCUSDC', [[99, 1]], [[100, 1]], { version: 17n });
  expect(failed).toThrow('onBook of sample threw at event 2 (book BTCUSDC version 17, 1250 ms): broken');
  expect(stage.failures[0]).toBeInstanceOf(StrategyFailure);
  expect(stage.failures[0]).toMatchObject({ callback: 'onBook', cause: { message: 'broken' } });
});

test('exceptions can be collected, to see what the session makes of them', () => {
  const stage = stageOf(
    {
      onBook() {
        throw new Error('broken');
      },
    },
    { failures: 'collect' },
  );
  show(stage);
  show(stage);
  expect(stage.failures.map(({ moment }) => moment.index)).toEqual([2, 3]);
  assertLogged(stage, 'error', /onBook of sample threw/);
});

test('orders by hand: accepted, filled in part, filled; position, average cost, profit and coins follow', () => {
  const events: OrderEvent[] = [];
  let held: Context<object, Memory> | undefined;
  const stage = stageOf(
    {
      onStart(context) {
        held = context;
      },
      onTrade: (context, batch) =>
        void context.send(order(batch.trades[0]?.side ?? 'Buy', batch.trades[0]?.quantity.toString())),
      onOrder: (_, event) => void events.push(event),
    },
    { capital: { USDC: '1000', BTC: '1' }, instruments: [sketchInstrument({ takerFee: '0.001' })] },
  );
  const buy = assertIntent(stage.trade('BTCUSDC', 'Buy', 100, 2), { side: 'Buy', quantity: '2' });
  stage.accept(buy);
  stage.fill(buy, { quantity: '1', price: '100' });
  expect(stage.position('BTCUSDC')).toMatchObject({ quantity: '1', averageCost: '100', openOrders: 1 });
  stage.fill(buy, { price: '110' });
  expect(stage.position('BTCUSDC')).toMatchObject({ quantity: '2', averageCost: '105', openOrders: 0 });
  const sell = assertIntent(stage.trade('BTCUSDC', 'Sell', 100, 0.5));
  stage.fill(sell, { price: '120' });
  // The figures of the core's own test, `crates/orders/src/ledger_tests.rs`: 0.5 × (120 − 105).
  expect(stage.position('BTCUSDC')).toMatchObject({ quantity: '1.5', realisedPnl: '7.5', fees: '0.27' });
  expect(Object.fromEntries(held?.balances ?? [])).toEqual({ BTC: '2.5', USDC: '849.73' });
  expect(held?.position(btc).quantity).toBe('1.5');
  expect(events.map(({ kind, filledQuantity }) => [kind, filledQuantity])).toEqual([
    ['Accepted', '0'],
    ['PartiallyFilled', '1'],
    ['Filled', '2'],
    ['Filled', '0.5'],
  ]);
});

test('a fill of all that is left ends the order however it is written, and more cannot be filled', () => {
  const events: OrderEvent[] = [];
  const stage = stageOf({
    onBook: (context) => void context.send(order('Buy', '2')),
    onOrder: (_, event) => void events.push(event),
  });
  const buy = assertIntent(show(stage));
  expect(() => stage.fill(buy, { quantity: '2.5' })).toThrow(
    'a fill of 2.5 is more than the 2 that is left of the order',
  );
  stage.fill(buy, { quantity: '2.0' });
  expect(events.map(({ kind }) => kind)).toEqual(['Filled']);
});

test('rejected and cancelled orders are told with their reason', () => {
  const events: OrderEvent[] = [];
  const stage = stageOf({
    onBook: (context) => void context.send(order('Buy')),
    onOrder: (_, event) => void events.push(event),
  });
  stage.reject(assertIntent(show(stage)), 'RISK_MAX_POSITION', 'too much');
  const second = assertIntent(show(stage));
  stage.fill(second, { quantity: '0.004' });
  stage.cancelled(second);
  expect(events).toMatchObject([
    { kind: 'Rejected', code: 'RISK_MAX_POSITION', text: 'too much' },
    { kind: 'PartiallyFilled' },
    { kind: 'Cancelled', filledQuantity: '0.004' },
  ]);
  expect(stage.intents).toHaveLength(2);
});

test('a short found at the start is a position with a cost', () => {
  const positions = [sketchPosition('BTCUSDC', '-1', '100')];
  const stage = stageOf({ onBook: (context) => void context.send(order('Buy', '0.5')) }, { positions });
  stage.fill(assertIntent(show(stage)), { price: '90' });
  expect(stage.position('BTCUSDC')).toMatchObject({ quantity: '-0.5', averageCost: '100', realisedPnl: '5' });
});

test('assertions pass on what is so and say what is when it is not', () => {
  const stage = stageOf({
    onBook(context, book) {
      const quote = { price: '99' as PriceText, quantity: '0.01' as QuantityText };
      context.quote(book.symbol, book.certified ? quote : undefined);
      context.metrics.count('books');
      context.metrics.gauge('bid', book.symbol, 99);
      context.log.info('quoted', { at: '99' });
    },
  });
  const outputs = show(stage);
  assertQuotes(stage, 'BTCUSDC', { bid: '99', ask: null });
  assertQuotes(stage, 'BTCUSDC', { bid: { price: '99', quantity: '0.01' } });
  assertNoIntent(outputs);
  assertCount(stage, 'books', 1);
  assertGauge(stage, 'bid', 'BTCUSDC', 99);
  expect(assertLogged(stage, 'info', 'quoted').fields).toEqual({ at: '99' });
  expect(() => assertNoQuotes(stage, 'BTCUSDC')).toThrow('"price":"99"');
  expect(() => assertQuotes(stage, 'BTCUSDC', { bid: '98' })).toThrow('"price":"99"');
  expect(() => assertQuotes(stage, 'BTCUSDC', { bid: { quantity: '0.02' } })).toThrow('"quantity":"0.01"');
  expect(() => assertSilent(outputs)).toThrow('nothing was expected');
  expect(() => assertIntent(outputs)).toThrow('one intent was expected, there are 0');
  expect(() => assertCount(stage, 'books', 2)).toThrow('count books');
  expect(() => assertGauge(stage, 'ask', 'BTCUSDC', 1)).toThrow('gauge ask');
  expect(() => assertLogged(stage, 'warn', 'quoted')).toThrow('logged was\n  info: quoted');
  stage.book(sketchBook('BTCUSDC', [], [], { certified: false }));
  assertNoQuotes(stage, 'BTCUSDC');
});

test('a source is played in its own time: timers between events, none on the way to the first', async () => {
  const ticks: number[] = [];
  const stage = stageOf({
    timerMs: 1_000,
    onTimer: (context) => void ticks.push(context.nowMs()),
    onBook: (context) => void context.send(order('Buy')),
  });
  const start = 1_723_161_254_000;
  const book = (atMs: number) =>
    ({ kind: 'book', atMs, book: sketchBook('BTCUSDC', [[99, 1]], [[100, 1]]) }) as const;
  const answered: number[] = [];
  const source = scripted([sketchInstrument()], [book(start), book(start + 2_500)]);
  const figures = await stage.run(source, (_, event) => answered.push(event.atMs));
  expect(figures).toEqual({ events: 2, seconds: 2.5 });
  expect(ticks).toEqual([start + 1_000, start + 2_000]);
  expect(answered).toEqual([start, start + 2_500]);
});

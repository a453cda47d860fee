import { expect, test } from 'vitest';
import { z } from 'zod';
import type { PriceText, QuantityText, SymbolName } from './brand.js';
import type { OrderEvent } from './events.js';
import type { Output, WantedQuotesOutput } from './outputs.js';
import { defineStrategy, type StrategyDefinition } from './strategy.js';
import { type AnyStage, Stage, sketchBook, sketchInstrument, sketchPosition } from './testing/index.js';

const btc = 'BTCUSDC' as SymbolName;
const book = sketchBook(btc, [[100, 1]], [[101, 1]], { version: 5n });
const quote = (price: string) => ({ price: price as PriceText, quantity: '0.01' as QuantityText });

function strategy(callbacks: Partial<StrategyDefinition<{ size: number }, { calls: string[] }>>) {
  return defineStrategy({
    name: 'sample',
    version: '1.0.0',
    description: 'for tests',
    parameters: z.strictObject({ size: z.number().default(1) }),
    memory: () => ({ calls: [] as string[] }),
    ...callbacks,
  });
}

const tick = (stage: AnyStage) => stage.act('timer', (session) => session.handleTimer());
const collect = { failures: 'collect' } as const;

const broken = () => {
  throw new Error('broken');
};

test('outputs are stamped with the book version, the data they answer and the time of the decision', () => {
  const stage = new Stage(strategy({ onBook: (context) => context.quote(btc, quote('100'), quote('101')) }));
  stage.advance(1);
  expect(stage.book({ ...book, receivedMonoNs: 1_000_500_000n })).toEqual([
    {
      kind: 'quotes',
      symbol: btc,
      quotes: [
        { slot: 0, side: 'Buy', ...quote('100') },
        { slot: 1, side: 'Sell', ...quote('101') },
      ],
      toleranceTicks: 0,
      bookVersion: 5n,
      causeMonoNs: 1_000_500_000n,
      decidedMonoNs: 1_001_000_000n,
    },
  ]);
});

test('what a timer decides answers no market data, whatever came before', () => {
  const stage = new Stage(strategy({ onTimer: (context) => context.quote(btc, quote('100')) }));
  stage.book({ ...book, receivedMonoNs: 7n });
  expect(tick(stage)).toMatchObject([{ bookVersion: 5n, causeMonoNs: 0n }]);
});

test('refs are unique and carry the prefix of the process', () => {
  const refs: string[] = [];
  const stage = new Stage(
    strategy({
      onBook: (context) =>
        void refs.push(
          context.send({ symbol: btc, side: 'Buy', type: 'Market', quantity: '0.01' as QuantityText }),
        ),
    }),
  );
  stage.book(book);
  stage.book(book);
  expect(refs).toEqual(['t-1', 't-2']);
});

test('an empty set of quotes is sent once, and again after a new session', () => {
  const stage = new Stage(strategy({ onBook: (context) => context.quote(btc) }));
  expect(stage.book(book)).toHaveLength(1);
  expect(stage.book(book)).toHaveLength(0);
  const welcome = { lastSequence: 0n, mode: 'Live', state: 'Active', positions: [], openOrders: [] } as const;
  stage.session.handleWelcome({ ...welcome, instruments: [sketchInstrument()], balances: new Map() });
  expect(stage.book(book)).toHaveLength(1);
});

test.each([
  ['a price off the grid', () => ({ bid: quote('100.001') }), 'price 100.001 is not a positive multiple'],
  ['a bid at the ask', () => ({ bid: quote('101'), ask: quote('101') }), 'bid 101 is not below ask 101'],
  ['an unknown symbol', () => ({ symbol: 'DOGEUSDC' as SymbolName }), 'accepted: BTCUSDC'],
])('refuses %s', (_, make, message) => {
  const { bid, ask, symbol = btc } = make() as { bid?: never; ask?: never; symbol?: SymbolName };
  let thrown: unknown;
  const stage = new Stage(
    strategy({
      onBook(context) {
        try {
          context.quote(symbol, bid, ask);
        } catch (error) {
          thrown = error;
        }
      },
    }),
  );
  stage.book(book);
  expect(String(thrown)).toContain(message);
});

test('a callback that throws acts not at all and pulls the quotes', () => {
  const stage = new Stage(
    strategy({
      onBook(context) {
        context.quote(btc, quote('100'));
        broken();
      },
    }),
    collect,
  );
  expect(stage.book(book)).toMatchObject([{ kind: 'quotes', quotes: [] }]);
  expect(stage.session.failures).toBe(1);
  expect(stage.session.faulted).toBe(false);
});

test('five exceptions in a row of one callback end trading, whatever the others do', () => {
  const stage = new Stage(
    strategy({ onBook: broken, onTimer: (context) => context.quote(btc, quote('100')) }),
    collect,
  );
  let last: readonly Output[] = [];
  for (let i = 0; i < 5; i++) {
    expect(stage.session.faulted).toBe(false);
    tick(stage);
    last = stage.book(book);
  }
  expect(stage.session.faulted).toBe(true);
  expect(last.slice(-2)).toMatchObject([
    { kind: 'quotes', quotes: [] },
    { kind: 'cancel', ref: undefined, symbol: undefined },
  ]);
  expect(tick(stage)).toEqual([]);
});

test('exceptions that are not in a row do not end trading', () => {
  let calls = 0;
  const stage = new Stage(strategy({ onBook: () => (++calls % 5 === 0 ? undefined : broken()) }), collect);
  for (let i = 0; i < 50; i++) stage.book(book);
  expect(stage.session.failures).toBe(40);
  expect(stage.session.faulted).toBe(false);
});

test('a strategy that fails to start never trades', () => {
  const stage = new Stage(
    strategy({ onStart: broken, onBook: (context) => context.quote(btc, quote('100')) }),
    collect,
  );
  expect(stage.session.faulted).toBe(true);
  expect(stage.book(book)).toEqual([]);
});

test('a memory that throws ends trading before it begins, and nothing runs', () => {
  const calls: string[] = [];
  const forgetful = { ...strategy({ onStop: () => void calls.push('stop') }), memory: broken };
  expect(() => new Stage(forgetful)).toThrow(/memory of .* threw/);
  const stage = new Stage(forgetful, collect);
  expect(stage.session.fault).toBe('memory threw: Error: broken');
  expect(stage.session.failures).toBe(1);
  expect(stage.book(book)).toEqual([]);
  stage.stop();
  expect(calls).toEqual([]);
});

test('a rejection of a callback that returns a promise counts as its exception', async () => {
  const never = strategy({ onBook: async () => broken() });
  const stage = new Stage(never, collect);
  for (let i = 0; i < 4; i++) stage.book(book);
  await Promise.resolve();
  expect(stage.session.failures).toBe(4);
  expect(stage.session.faulted).toBe(false);
  stage.book(book);
  await Promise.resolve();
  expect(stage.session.fault).toBe('onBook threw 5 times in a row: Error: broken');
  expect(stage.session.drain().at(-1)).toMatchObject({ kind: 'cancel', ref: undefined, symbol: undefined });
});

test('what fails outside of every callback ends trading', () => {
  const stage = new Stage(strategy({}), collect);
  stage.session.handleBackgroundFailure('lost');
  stage.session.handleBackgroundFailure('lost again');
  expect(stage.session.fault).toBe('what it left running threw: lost');
  expect(stage.session.failures).toBe(1);
});

test.each([
  ['onStart', (stage: Stage<unknown, unknown>) => stage.advance(0)],
  ['onBook', (stage: Stage<unknown, unknown>) => stage.book(book)],
  ['onTrade', (stage: Stage<unknown, unknown>) => stage.trade(btc, 'Buy', 100, 1)],
  ['onTimer', (stage: Stage<unknown, unknown>) => stage.session.handleTimer()],
  ['onOrder', (stage: Stage<unknown, unknown>) => stage.session.handleOrder({ ...filled(0n, '1') })],
] as const)('an exception of %s is counted and pulls the quotes', (name, cause) => {
  const stage = new Stage(strategy({ [name]: broken }), collect);
  cause(stage as Stage<unknown, unknown>);
  expect(stage.session.failures).toBe(1);
  expect(stage.failures.map(({ callback }) => callback)).toEqual([name]);
});

test('stopping calls onStop, pulls the quotes, and nothing runs afterwards', () => {
  const calls: string[] = [];
  const stage = new Stage(
    strategy({ onStop: () => void calls.push('stop'), onBook: () => void calls.push('book') }),
  );
  const outputs = stage.stop();
  expect(stage.stop()).toEqual([]);
  expect(stage.book(book)).toEqual([]);
  expect(calls).toEqual(['stop']);
  expect(outputs).toMatchObject([{ kind: 'quotes', quotes: [] }]);
});

test('while disconnected no book is certified', () => {
  let certified: boolean | undefined;
  const stage = new Stage(
    strategy({
      onTimer: (context) => {
        certified = context.book(btc)?.certified;
      },
    }),
  );
  stage.book(book);
  stage.session.handleDisconnect();
  stage.session.handleTimer();
  expect(certified).toBe(false);
});

function filled(sequence: bigint, quantity: string): OrderEvent {
  const fill = {
    tradeId: `t${sequence}`,
    price: '100',
    quantity,
    fee: '0.1000000000000001',
    feeAsset: 'USDC',
    maker: true,
  };
  return {
    sequence,
    kind: 'Filled',
    symbol: btc,
    side: 'Buy',
    fill: { ...fill, timeUnixMs: 0 },
    position: sketchPosition(btc, quantity),
  } as unknown as OrderEvent;
}

test('position and balances follow fills, each counted once, those inside the snapshot not again', () => {
  let seen: unknown;
  const stage = new Stage(
    strategy({
      onTimer: (context) => {
        seen = [context.position(btc).quantity, Object.fromEntries(context.balances)];
      },
    }),
    { capital: { USDC: '1000', BTC: '1' }, lastSequence: 4n },
  );
  expect(stage.session.handleOrder(filled(4n, '9'))).toBe(false);
  expect(stage.session.handleOrder(filled(5n, '0.5'))).toBe(true);
  expect(stage.session.handleOrder(filled(5n, '0.5'))).toBe(false);
  stage.session.handleTimer();
  expect(seen).toEqual(['0.5', { USDC: '949.8999999999999999', BTC: '1.5' }]);
  stage.session.handleOrder(filled(8n, '0.1'));
  expect(stage.session.sequenceHoles).toBe(2);
});

test('a core that lost its newest events is followed, so that their numbers are heard again', () => {
  const stage = new Stage(strategy({}));
  for (const sequence of [1n, 2n, 3n]) stage.session.handleOrder(filled(sequence, '0.1'));
  const welcome = { mode: 'Live', state: 'Active', positions: [], openOrders: [], lastSequence: 2n } as const;
  stage.session.handleWelcome({ ...welcome, instruments: [sketchInstrument()], balances: new Map() });
  expect(stage.session.handleOrder(filled(3n, '0.2'))).toBe(true);
});

test('the tolerance is a whole number of ticks', () => {
  const onBook: StrategyDefinition<{ size: number }, { calls: string[] }>['onBook'] = (context) =>
    context.quote(btc, quote('100'), undefined, { tolerance: 2.9 });
  const [output] = new Stage(strategy({ onBook })).book(book);
  expect((output as WantedQuotesOutput).toleranceTicks).toBe(2);
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32])(
  'a tolerance of %d ticks is refused',
  (tolerance) => {
    const stage = new Stage(
      strategy({ onBook: (context) => context.quote(btc, quote('100'), undefined, { tolerance }) }),
    );
    expect(() => stage.book(book)).toThrow(
      `BTCUSDC: a tolerance of ${tolerance} ticks is not a number up to 4294967295`,
    );
  },
);

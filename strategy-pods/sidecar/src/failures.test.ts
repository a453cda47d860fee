// A strategy that fails, callback by callback: counted, told to the core with the reason, and over.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OrderEvent_Kind, OrderType, Side } from '@flashpod/proto';
import { defineStrategy, type PriceText, type QuantityText, type StrategyDefinition } from '@flashpod/sdk';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { type Down, ScriptedCore } from './scripted-core.js';
import { Sidecar } from './sidecar.js';

const token = 'secret-token-of-the-test';
const symbol = 'BTCUSDC';
const eventually = <T>(check: () => T | Promise<T>) => vi.waitFor(check, { timeout: 15_000, interval: 5 });
const broken = (): never => {
  throw new RangeError('broken');
};

type Callbacks = Partial<StrategyDefinition<object, undefined>>;

let folder: string;
let core: ScriptedCore;
let sidecar: Sidecar;
const errors: { message: string; callback?: string }[] = [];
const ignore = () => {};
const log = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: (message: string, fields: object = {}) => void errors.push({ message, ...fields }),
};

async function start(callbacks: Callbacks): Promise<void> {
  sidecar = new Sidecar({
    strategy: defineStrategy({
      name: 'failing',
      version: '1.0.0',
      description: 'for tests',
      parameters: z.strictObject({}),
      timerMs: 2,
      memory: () => undefined,
      ...callbacks,
    }),
    instance: 'failing-1',
    socket: join(folder, 'core.sock'),
    readToken: () => token,
    log,
    onFatal: broken,
    link: { firstRetryMs: 5, maxRetryMs: 20 },
  });
  sidecar.start();
  await core.nth('hello');
}

const book = (version: bigint): Down => ({
  case: 'book',
  value: { symbol, version, bidPrices: [100], bidQuantities: [1], askPrices: [101], askQuantities: [1] },
});
const trades: Down = { case: 'trades', value: { symbol, prices: [100], quantities: [1], buys: [true] } };
const order = (sequence: bigint): Down => ({
  case: 'order',
  value: {
    sequence,
    kind: OrderEvent_Kind.ACCEPTED,
    symbol,
    clientOrderId: `c${sequence}`,
    slot: 0,
    side: Side.BUY,
    type: OrderType.LIMIT_MAKER,
    price: '100',
    quantity: '0.001',
  },
});

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fp-'));
  core = new ScriptedCore(token);
  await core.listen(join(folder, 'core.sock'));
  errors.length = 0;
});
afterEach(async () => {
  await sidecar.stop();
  core.kill();
  rmSync(folder, { recursive: true, force: true });
});

const five = [1n, 2n, 3n, 4n, 5n];

test.each<[string, Callbacks, () => Down[], string]>([
  ['memory', { memory: broken }, () => [], 'memory threw: RangeError: broken'],
  ['onStart', { onStart: broken }, () => [], 'onStart threw: RangeError: broken'],
  ['onBook', { onBook: broken }, () => five.map(book), 'onBook threw 5 times in a row: RangeError: broken'],
  [
    'onTrade',
    { onTrade: broken },
    () => five.map(() => trades),
    'onTrade threw 5 times in a row: RangeError: broken',
  ],
  [
    'onOrder',
    { onOrder: broken },
    () => five.map(order),
    'onOrder threw 5 times in a row: RangeError: broken',
  ],
  ['onTimer', { onTimer: broken }, () => [], 'onTimer threw 5 times in a row: RangeError: broken'],
  [
    'onBook',
    { onBook: async () => broken() },
    () => five.map(book),
    'onBook threw 5 times in a row: RangeError: broken',
  ],
])(
  'an exception of %s ends the strategy: counted, logged, told to the core once, and nothing is tried again',
  async (callback, callbacks, causes, reason) => {
    await start(callbacks);
    for (const cause of causes()) core.send(cause);
    expect(await core.nth('failure')).toMatchObject({ reason });
    expect(sidecar.status()).toEqual({
      ready: false,
      reason: `the strategy failed and trades no more: ${reason}`,
    });
    const count = callback === 'memory' || callback === 'onStart' ? 1 : 5;
    expect(await sidecar.metrics.registry.metrics()).toContain(
      `flashpod_sidecar_callback_failures_total{callback="${callback}"} ${count}`,
    );
    expect(errors.filter((error) => error.callback === callback)).toHaveLength(count);
    // What it is given from now on goes nowhere; the session stays, and with it the reason.
    core.send(book(9n));
    core.send({ case: 'heartbeat', value: { monoNs: 1n } });
    await eventually(async () =>
      expect(await sidecar.metrics.registry.metrics()).toMatch(/books_total\{symbol="BTCUSDC"\} (1|6)\n/),
    );
    expect(core.all('failure')).toHaveLength(1);
    expect(core.sessions).toBe(1);
  },
);

test('what becomes of the orders of a failed strategy is the core’s to decide: nothing is cancelled by it', async () => {
  await start({
    onBook(context, { version, symbol: pair }) {
      if (version === 1n)
        context.quote(pair, { price: '100' as PriceText, quantity: '0.001' as QuantityText });
    },
    onOrder: () => undefined,
  });
  core.send(book(1n));
  await core.nth('wantedQuotes');
  sidecar.handleBackgroundFailure(new Error('gone'));
  expect(await core.nth('failure')).toMatchObject({ reason: 'what it left running threw: Error: gone' });
  expect(core.all('wantedQuotes')).toHaveLength(1);
  expect(core.all('cancel')).toEqual([]);
});

test('a core that was restarted is told again', async () => {
  await start({ memory: broken });
  await core.nth('failure');
  core.kill();
  core = new ScriptedCore(token);
  await core.listen(join(folder, 'core.sock'));
  expect(await core.nth('failure')).toMatchObject({ reason: 'memory threw: RangeError: broken' });
});

test('an exception of onStop does not keep the process from stopping', async () => {
  await start({ onStop: broken });
  await eventually(() => expect(sidecar.status().ready).toBe(true));
  await sidecar.stop();
  expect(errors).toMatchObject([{ callback: 'onStop' }]);
  expect(core.all('wantedQuotes').every(({ quotes }) => quotes.length === 0)).toBe(true);
});

test('an exception that is not the fifth in a row pulls the quotes, and the strategy goes on', async () => {
  await start({
    onBook(context, { symbol: pair, version }) {
      if (version % 2n === 0n) broken();
      context.quote(pair, { price: '100' as PriceText, quantity: '0.001' as QuantityText });
    },
  });
  for (let version = 1n; version <= 20n; version++) core.send(book(version));
  const last = await core.nth('wantedQuotes', 20);
  expect(last.quotes).toEqual([]);
  expect(sidecar.status().ready).toBe(true);
});

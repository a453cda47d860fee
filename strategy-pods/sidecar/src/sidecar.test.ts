import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AssetAmountSchema, create, OrderEvent_Kind, OrderType, Side } from '@flashpod/proto';
import {
  type AssetName,
  type DecimalText,
  defineStrategy,
  type OrderEvent,
  type OrderRef,
  type PriceText,
  type QuantityText,
  type StrategyError,
  type SymbolName,
  sdkVersion,
} from '@flashpod/sdk';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { CoreClock } from './clock.js';
import { type Down, ScriptedCore } from './scripted-core.js';
import { Sidecar, type SidecarOptions } from './sidecar.js';

const btc = 'BTCUSDC' as SymbolName;
const quantity = '0.001' as QuantityText;
const token = 'secret-token-of-the-test';

/** Quotes the touch on every book, sends one IOC on every trade, and writes down what it hears. */
function probe() {
  const heard: OrderEvent[] = [];
  const strategy = defineStrategy({
    name: 'probe',
    version: '1.0.0',
    description: 'for tests',
    parameters: z.strictObject({ levels: z.number().int().min(1).max(5).default(1) }),
    memory: () => undefined,
    onBook(context, book) {
      const price = String(book.bids.prices[0]) as PriceText;
      context.quote(book.symbol, { price, quantity });
    },
    onTrade(context, batch) {
      context.send({ symbol: batch.symbol, side: 'Buy', type: 'Ioc', price: '100' as PriceText, quantity });
    },
    onOrder: (_, event) => void heard.push(event),
  });
  return { strategy, heard };
}

const book = (version: bigint, bid = 100): Down => ({
  case: 'book',
  value: {
    symbol: btc,
    version,
    bidPrices: [bid],
    bidQuantities: [1],
    askPrices: [bid + 1],
    askQuantities: [1],
    certified: true,
  },
});

const accepted = (sequence: bigint) =>
  ({
    case: 'order',
    value: {
      sequence,
      kind: OrderEvent_Kind.ACCEPTED,
      symbol: btc,
      clientOrderId: `c${sequence}`,
      slot: 0,
      side: Side.BUY,
      type: OrderType.LIMIT_MAKER,
      price: '100',
      quantity: '0.001',
    },
  }) as const;

// Waits for a condition however slow the machine is; a test that hangs is ended by its own limit.
const eventually = <T>(check: () => T | Promise<T>) => vi.waitFor(check, { timeout: 15_000, interval: 5 });

let folder: string;
let socket: string;
let core: ScriptedCore;
let sidecar: Sidecar | undefined;
const fatal = vi.fn<(error: StrategyError) => void>();
const warnings: object[] = [];
const log = {
  debug: () => {},
  info: () => {},
  warn: (message: string, fields: object = {}) => void warnings.push({ message, ...fields }),
  error: () => {},
};

function start(options: Partial<SidecarOptions> = {}): { sidecar: Sidecar; heard: OrderEvent[] } {
  const { strategy, heard } = probe();
  sidecar = new Sidecar({
    strategy,
    instance: 'probe-1',
    socket,
    readToken: () => token,
    log,
    onFatal: fatal,
    refPrefix: 'r',
    link: { firstRetryMs: 5, maxRetryMs: 20 },
    ...options,
  });
  sidecar.start();
  return { sidecar, heard };
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fp-'));
  socket = join(folder, 'core.sock');
  core = new ScriptedCore(token);
  fatal.mockClear();
  warnings.length = 0;
});

afterEach(async () => {
  await sidecar?.stop();
  sidecar = undefined;
  core.kill();
  rmSync(folder, { recursive: true, force: true });
});

test('waits for the socket, says who it is, and quotes on the first book', async () => {
  const { sidecar } = start();
  await eventually(() => expect(sidecar.status().ready).toBe(false));
  await core.listen(socket);
  const hello = { instance: 'probe-1', token, lastSequence: 0n, sdkVersion };
  expect(await core.nth('hello')).toMatchObject(hello);
  core.send(book(7n));
  expect(await core.nth('wantedQuotes')).toMatchObject({
    symbol: btc,
    bookVersion: 7n,
    quotes: [{ slot: 0, side: Side.BUY, price: '100', quantity: '0.001' }],
  });
  expect(sidecar.status()).toEqual({ ready: true, reason: 'trading session open' });
});

test('a wrong token is reported, keeps the pod unready, and is never written anywhere', async () => {
  await core.listen(socket);
  const { sidecar } = start({ readToken: () => 'wrong-token' });
  await core.until(() => core.all('hello').length >= 2);
  await eventually(() => expect(sidecar.status().reason).toContain('UNAUTHENTICATED'));
  expect(sidecar.status().ready).toBe(false);
  expect(core.sessions).toBe(0);
  expect(JSON.stringify(warnings)).not.toContain('wrong-token');
});

test('a rotated token is read anew at the next attempt', async () => {
  await core.listen(socket);
  let current = 'old';
  const { sidecar } = start({ readToken: () => current });
  await core.nth('hello');
  current = token;
  await eventually(() => expect(sidecar.status().ready).toBe(true));
});

test('after the core restarts it resumes behind the last order event and hears none twice', async () => {
  await core.listen(socket);
  const { sidecar, heard } = start();
  await core.nth('hello');
  core.send(accepted(1n));
  core.send(accepted(2n));
  await eventually(() => expect(heard).toHaveLength(2));
  core.kill();
  await eventually(() => expect(sidecar.status().ready).toBe(false));
  core = new ScriptedCore(token);
  core.welcome = { ...core.welcome, lastSequence: 3n };
  await core.listen(socket);
  expect((await core.nth('hello')).lastSequence).toBe(2n);
  core.send(accepted(2n));
  core.send(accepted(3n));
  await eventually(() => expect(heard.map((one) => one.sequence)).toEqual([1n, 2n, 3n]));
  expect(await sidecar.metrics.registry.metrics()).toContain(
    'flashpod_sidecar_order_events_repeated_total 1',
  );
});

test('a fresh process takes what its snapshot contains as history', async () => {
  core.welcome = { ...core.welcome, lastSequence: 8n };
  await core.listen(socket);
  const { heard } = start();
  await core.nth('hello');
  for (const sequence of [7n, 8n, 9n]) core.send(accepted(sequence));
  await eventually(() => expect(heard.map((one) => one.sequence)).toEqual([9n]));
});

test('a core that stops reading costs bounded memory: the newest quotes and a refusal of each intent', async () => {
  await core.listen(socket);
  const { sidecar, heard } = start();
  await core.nth('hello');
  core.stall();
  const shown = async (text: string) => (await sidecar.metrics.registry.metrics()).includes(text);
  const kept = async () => !(await shown('flashpod_sidecar_superseded_quotes 0'));
  let version = 0n;
  // Until the transport's own buffers are full, however large they are here.
  while (heard.length === 0 || !(await kept())) {
    for (let i = 0; i < 500; i++) core.send(book(++version));
    core.send({ case: 'trades', value: { symbol: btc, prices: [100], quantities: [1], buys: [true] } });
    const handled = `flashpod_sidecar_books_total{symbol="${btc}"} ${version}`;
    await eventually(async () => expect(await shown(handled)).toBe(true));
  }
  expect(heard[0]).toMatchObject({ kind: 'Rejected', code: 'CORE_STALLED' });
  core.resume();
  await core.until(() => core.all('wantedQuotes').at(-1)?.bookVersion === version);
  expect(core.all('wantedQuotes').length).toBeLessThan(Number(version));
  expect(core.all('intent').map((one) => one.ref)).not.toContain(heard[0]?.ref);
});

test('an intent decided without a session is refused to the strategy at once', async () => {
  await core.listen(socket);
  const { strategy, heard } = probe();
  const trades = { symbol: btc, trades: [], dropped: 0, receivedMonoNs: 0n, venueUnixMs: 0 };
  const onTimer: typeof strategy.onTimer = (context) =>
    heard.length === 0 && strategy.onTrade?.(context, trades);
  start({ strategy: { ...strategy, timerMs: 1, onTimer } });
  await core.nth('intent');
  core.kill();
  await eventually(() => expect(heard[0]).toMatchObject({ kind: 'Rejected', code: 'NOT_CONNECTED' }));
});

test('what was cancelled without a session is cancelled in the next one, before anything new', async () => {
  await core.listen(socket);
  const { strategy } = probe();
  let asked = false;
  const onTimer: typeof strategy.onTimer = (context) => {
    if (asked || context.book(btc)?.certified !== false) return;
    asked = true;
    context.cancel('r-1' as OrderRef);
  };
  start({ strategy: { ...strategy, timerMs: 1, onTimer } });
  await core.nth('hello');
  core.send(book(1n));
  await core.nth('wantedQuotes');
  core.kill();
  await eventually(() => expect(asked).toBe(true));
  core = new ScriptedCore(token);
  await core.listen(socket);
  await core.nth('hello');
  core.send(book(2n));
  await core.nth('wantedQuotes');
  expect(core.all('cancel')).toMatchObject([{ ref: 'r-1' }]);
  expect(core.received.map(({ body }) => body.case).slice(0, 2)).toEqual(['hello', 'cancel']);
});

test('parameters that the schema refuses are fatal and named with path, value and what is accepted', async () => {
  core.welcome = { ...core.welcome, parametersJson: '{"levels": 9, "speed": 1}' };
  await core.listen(socket);
  const { sidecar } = start();
  await eventually(() => expect(fatal).toHaveBeenCalled());
  const error = fatal.mock.calls[0]?.[0];
  expect(error?.code).toBe('BAD_PARAMETERS');
  expect(error?.message).toContain('parameters.levels is 9; accepted: integer at least 1 at most 5');
  expect(error?.message).toContain('parameters.speed is unknown; accepted: levels');
  expect(sidecar.status()).toEqual({ ready: false, reason: error?.message });
});

test('a core that goes silent after heartbeats is left and tried again', async () => {
  await core.listen(socket);
  start({ link: { firstRetryMs: 5, silenceMs: 30 } });
  await core.nth('hello');
  core.send({ case: 'heartbeat', value: { monoNs: 1n } });
  await core.nth('hello', 2);
});

test('a message it cannot read ends the session instead of being guessed at', async () => {
  await core.listen(socket);
  const { heard } = start();
  await core.nth('hello');
  core.send({ case: 'order', value: { ...accepted(1n).value, side: 0 } });
  await core.nth('hello', 2);
  expect(heard).toEqual([]);
});

test('stopping pulls the quotes before the session ends', async () => {
  await core.listen(socket);
  const { sidecar } = start();
  await core.nth('hello');
  core.send(book(1n));
  await core.nth('wantedQuotes');
  await sidecar.stop();
  expect(core.all('wantedQuotes').at(-1)).toMatchObject({ symbol: btc, quotes: [] });
});

test('the core’s clock is ahead by the largest difference seen and never behind', () => {
  const clock = new CoreClock(() => 1_000n);
  clock.observe(900n);
  expect(clock.monoNs()).toBe(1_000n);
  clock.observe(5_000n);
  clock.observe(4_900n);
  expect(clock.monoNs()).toBe(5_000n);
});

test('balances follow the fills of the stream', async () => {
  let balance: DecimalText | undefined;
  const { strategy } = probe();
  const onOrder: typeof strategy.onOrder = (context) => {
    balance = context.balances.get('USDC' as AssetName);
  };
  core.welcome = {
    ...core.welcome,
    balances: [create(AssetAmountSchema, { asset: 'USDC', amount: '1000' })],
  };
  await core.listen(socket);
  start({ strategy: { ...strategy, onOrder } });
  await core.nth('hello');
  const fill = { tradeId: 't1', price: '100', quantity: '0.5', fee: '0.01', feeAsset: 'USDC', maker: true };
  core.send({ case: 'order', value: { ...accepted(1n).value, kind: OrderEvent_Kind.FILLED, fill } });
  await eventually(() => expect(balance).toBe('949.99'));
});

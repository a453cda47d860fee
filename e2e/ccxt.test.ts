// The independent judge: unmodified ccxt against the venue.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import ccxt from 'ccxt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkout, until } from './shared.ts';
import { apiKey, secret, Venue, venueBinary } from './venue.ts';

const symbol = 'BTC/USDC';

function client(venue: Venue, extra: Record<string, unknown> = {}) {
  const base = venue.rest;
  return new ccxt.pro.mexc({
    apiKey,
    secret,
    enableRateLimit: false,
    // Every address is ours, so that nothing can leave the machine.
    urls: {
      api: {
        spot: { public: base, private: base },
        contract: { public: `${base}/api/v1/contract`, private: `${base}/api/v1/private` },
        spot2: { public: base, private: base },
        broker: { private: base },
        ws: { spot: venue.ws, swap: venue.ws.replace('/ws', '/edge') },
      },
    },
    ...extra,
  });
}

type Client = ReturnType<typeof client>;

/** A price that rests: two per cent from the touch, on the grid. */
async function away(exchange: Client, side: 'buy' | 'sell'): Promise<number> {
  const book = await exchange.fetchOrderBook(symbol, 5);
  const touch = Number(side === 'buy' ? book.bids[0]?.[0] : book.asks[0]?.[0]);
  return Number((touch * (side === 'buy' ? 0.98 : 1.02)).toFixed(2));
}

/** ccxt types ids as possibly absent. */
const idOf = (order: { id?: unknown }): string => String(order.id);

let venue: Venue;
let exchange: Client;

beforeAll(async () => {
  venue = await Venue.start([
    ...['orderRate=0', 'batchRate=0', 'accountRate=0', 'weightPools=off'].flatMap((set) => ['--set', set]),
  ]);
  exchange = client(venue);
  await exchange.loadHttpProxyAgent();
  await exchange.loadMarkets();
}, 30_000);

afterAll(async () => {
  await exchange?.close();
  expect(await venue?.stop()).toBe(0);
});

describe('public REST', () => {
  test('markets have the precision and the limits of exchangeInfo', () => {
    const market = exchange.market(symbol);
    expect(market.active).toBe(true);
    expect(market.precision).toMatchObject({ amount: 0.000001, price: 0.01 });
    expect(market.limits.amount?.min).toBe(0.000001);
    expect(market.limits.cost?.min).toBe(1);
    expect(exchange.market('ETH/USDC').precision.amount).toBe(0.00001);
  });

  test('time, status, book, trades, candles and tickers', async () => {
    expect(Math.abs(Number(await exchange.fetchTime()) - Date.now())).toBeLessThan(5_000);
    expect((await exchange.fetchStatus()).status).toBe('ok');
    const book = await exchange.fetchOrderBook(symbol, 50);
    expect(book.bids).toHaveLength(50);
    expect(Number(book.bids[0]?.[0])).toBeLessThan(Number(book.asks[0]?.[0]));
    expect(book.nonce).toBeGreaterThan(1_000);
    for (const params of [{}, { method: 'spotPublicGetTrades' }]) {
      const trades = await exchange.fetchTrades(symbol, undefined, 100, params);
      expect(trades).toHaveLength(100);
      expect(trades.every((trade) => (trade.side === 'buy' || trade.side === 'sell') && trade.amount)).toBe(
        true,
      );
    }
    const minutes = await exchange.fetchOHLCV(symbol, '1m');
    expect(minutes.length).toBeGreaterThanOrEqual(3);
    for (const [, open, high, low, close] of minutes) {
      expect(Number(high)).toBeGreaterThanOrEqual(Math.max(Number(open), Number(close)));
      expect(Number(low)).toBeLessThanOrEqual(Math.min(Number(open), Number(close)));
    }
    expect((await exchange.fetchOHLCV(symbol, '1h')).length).toBeGreaterThanOrEqual(1);
    const ticker = await exchange.fetchTicker(symbol);
    expect(Number(ticker.bid)).toBeLessThan(Number(ticker.ask));
    expect(Object.keys(await exchange.fetchTickers())).toEqual(expect.arrayContaining([symbol, 'ETH/USDC']));
    // (ccxt wraps the array once more when one symbol is asked for.)
    expect((await exchange.fetchBidsAsks([symbol, 'ETH/USDC']))[symbol]?.bid).toBeGreaterThan(0);
  });
});

describe('private REST', () => {
  test('an order is tested, placed, found, cancelled by either id, and released', async () => {
    const before = await exchange.fetchBalance();
    const price = await away(exchange, 'buy');
    await exchange.createOrder(symbol, 'limit', 'buy', 0.01, price, { test: true });
    expect(await exchange.fetchOpenOrders(symbol)).toEqual([]);

    const plain = await exchange.createOrder(symbol, 'limit', 'buy', 0.01, price);
    const maker = await exchange.createOrder(symbol, 'limit', 'buy', 0.02, price, {
      postOnly: true,
      clientOrderId: 'judge-1',
    });
    const open = await exchange.fetchOpenOrders(symbol);
    expect(open.map((order) => order.id).sort()).toEqual([plain.id, maker.id].sort());
    const found = await exchange.fetchOrder(idOf(maker), symbol);
    expect(found).toMatchObject({ status: 'open', clientOrderId: 'judge-1', amount: 0.02, filled: 0, price });
    const held = await exchange.fetchBalance();
    expect(Number(held['USDC']?.used)).toBeGreaterThanOrEqual(0.03 * price);

    await exchange.cancelOrder(idOf(plain), symbol);
    await exchange.cancelOrder('', symbol, { clientOrderId: 'judge-1' });
    expect((await exchange.fetchOrder(idOf(maker), symbol)).status).toBe('canceled');
    expect((await exchange.fetchOrders(symbol)).length).toBeGreaterThanOrEqual(2);
    const after = await exchange.fetchBalance();
    expect(after['USDC']).toEqual(before['USDC']);
    await expect(exchange.cancelOrder(idOf(plain), symbol)).rejects.toThrow(ccxt.BadRequest);
  });

  test('takers of every kind trade and pay the fee of tradeFee', async () => {
    const fee = await exchange.fetchTradingFee(symbol);
    expect(fee).toMatchObject({ maker: 0, taker: 0.0005 });
    const crossing = await away(exchange, 'sell');
    const kinds: [string, Record<string, unknown>][] = [
      ['limit', { timeInForce: 'IOC' }],
      ['limit', { timeInForce: 'FOK' }],
      ['market', {}],
    ];
    for (const [type, params] of kinds) {
      const price = type === 'market' ? undefined : crossing;
      const order = await exchange.createOrder(symbol, type, 'buy', 0.001, price, params);
      const done = await exchange.fetchOrder(idOf(order), symbol);
      expect(done).toMatchObject({ status: 'closed', filled: 0.001 });
      const trades = await exchange.fetchMyTrades(symbol, undefined, 100, { orderId: order.id });
      const bought = trades.reduce((sum, trade) => sum + Number(trade.amount), 0);
      expect(bought).toBeCloseTo(0.001, 9);
      for (const trade of trades) {
        expect(trade.takerOrMaker).toBe('taker');
        expect(trade.fee?.currency).toBe('USDC');
        expect(Number(trade.fee?.cost)).toBeCloseTo(Number(trade.cost) * 0.0005, 9);
      }
    }
    const byCost = await exchange.createMarketBuyOrderWithCost(symbol, 250);
    const spent = await exchange.fetchOrder(idOf(byCost), symbol);
    expect(spent.status).toBe('closed');
    expect(Number(spent.cost)).toBeLessThanOrEqual(250);
    expect(Number(spent.cost)).toBeGreaterThan(249);
    await exchange.createOrder(symbol, 'market', 'sell', 0.001);
    // Far from the market: nothing to fill, so it is let in and cancelled.
    const far = await away(exchange, 'buy');
    const missed = await exchange.createOrder(symbol, 'limit', 'buy', 0.001, far, { timeInForce: 'FOK' });
    expect((await exchange.fetchOrder(idOf(missed), symbol)).status).toBe('canceled');
  });

  test('a batch reports each order by itself; cancel-all takes one symbol or all', async () => {
    const price = await away(exchange, 'buy');
    const order = (amount: number) => ({ symbol, type: 'limit', side: 'buy', amount, price }) as const;
    const placed = await exchange.createOrders([order(0.01), order(0.000001), order(0.01)]);
    expect(placed.map((one) => one.status)).toEqual([undefined, 'rejected', undefined]);
    expect(await exchange.fetchOpenOrders(symbol)).toHaveLength(2);
    await exchange.cancelAllOrders(symbol);
    expect(await exchange.fetchOpenOrders(symbol)).toEqual([]);
    await exchange.createOrder('ETH/USDC', 'limit', 'sell', 1, 4_700);
    await exchange.cancelAllOrders();
    expect(await exchange.fetchOpenOrders()).toEqual([]);
  });

  test('refusals are the ones that ccxt knows', async () => {
    const price = await away(exchange, 'buy');
    const buy = (amount: number, at: number, params = {}) =>
      exchange.createOrder(symbol, 'limit', 'buy', amount, at, params);
    await expect(buy(19, price)).rejects.toThrow(ccxt.InsufficientFunds);
    await expect(buy(0.000001, price)).rejects.toThrow(ccxt.InvalidOrder);
    await expect(buy(25, price)).rejects.toThrow(ccxt.InvalidOrder);
    await expect(buy(0.001, price * 2)).rejects.toThrow(ccxt.InvalidOrder);
    await expect(exchange.fetchOrder('C02__1', symbol)).rejects.toThrow(/-2013/);
    const forger = client(venue, { secret: 'another' });
    await expect(forger.fetchBalance()).rejects.toThrow(ccxt.AuthenticationError);
    const late = client(venue);
    late.nonce = () => Date.now() - 60_000;
    await expect(late.fetchBalance()).rejects.toThrow(ccxt.InvalidNonce);
  });

  test('fees are taken in MX once the account asks for it', async () => {
    const switchTo = (mxDeductEnable: boolean) => exchange.spotPrivatePostMxDeductEnable({ mxDeductEnable });
    await switchTo(true);
    expect(await exchange.spotPrivateGetMxDeductEnable()).toMatchObject({ data: { mxDeductEnable: true } });
    const before = await exchange.fetchBalance();
    const order = await exchange.createOrder(symbol, 'market', 'buy', 0.001);
    await switchTo(false);
    const [trade] = await exchange.fetchMyTrades(symbol, undefined, 100, { orderId: order.id });
    // 5 bp, 20 % off (the account holds less than 500 MX), at 2 USDC an MX.
    expect(trade?.fee?.currency).toBe('MX');
    expect(Number(trade?.fee?.cost)).toBeCloseTo((Number(trade?.cost) * 0.0005 * 0.8) / 2, 9);
    const after = await exchange.fetchBalance();
    const paid = Number(before['MX']?.total) - Number(after['MX']?.total);
    const trades = await exchange.fetchMyTrades(symbol, undefined, 100, { orderId: order.id });
    const fees = trades.reduce((sum, one) => sum + Number(one.fee?.cost), 0);
    expect(paid).toBeCloseTo(fees, 9);
  });

  test('an order with an STP mode does not meet the own one in its way', async () => {
    // Hardly any time passes on this market: nobody comes between the two orders.
    const still = await Venue.start(['--speed', '0.001']);
    const trader = client(still);
    await trader.loadMarkets();
    const group = { tradeGroupName: 'judge' };
    // ccxt asks for what its unified interface does not know by the path of the endpoint.
    await trader.spotPrivatePostStrategyGroup(group);
    expect(await trader.spotPrivateGetStrategyGroup()).toMatchObject({ data: [group] });
    const book = await trader.fetchOrderBook(symbol, 1);
    const inside = Number((Number(book.asks[0]?.[0]) - 0.01).toFixed(2));
    expect(inside, 'a price between bid and ask').toBeGreaterThan(Number(book.bids[0]?.[0]));
    const maker = await trader.createOrder(symbol, 'limit', 'sell', 0.5, inside);
    const params = { timeInForce: 'IOC', stpMode: 'cancel_maker' };
    const taker = await trader.createOrder(symbol, 'limit', 'buy', 0.5, inside, params);
    const prevented = await trader.fetchOrder(idOf(maker), symbol);
    expect(prevented).toMatchObject({ status: 'canceled', filled: 0, info: { cancelReason: 'stp_cancel' } });
    expect(await trader.fetchOrder(idOf(taker), symbol)).toMatchObject({ status: 'canceled', filled: 0 });
    expect(await trader.fetchMyTrades(symbol)).toEqual([]);
    await trader.close();
    await still.stop();
  });

  test('too many order calls in a second are a rate limit', async () => {
    const strict = await Venue.start();
    const hasty = client(strict);
    await hasty.loadMarkets();
    const calls = Array.from({ length: 14 }, () => hasty.createOrder(symbol, 'limit', 'buy', 0.001, 98_000));
    const refused = (await Promise.allSettled(calls)).filter((call) => call.status === 'rejected');
    expect(refused).toHaveLength(2);
    for (const { reason } of refused) expect(reason).toBeInstanceOf(ccxt.RateLimitExceeded);
    expect((await strict.audit()).counters.http429).toBe(2);
    await hasty.close();
    await strict.stop();
  });
});

describe('streams', () => {
  test('public: book, trades, ticker, candles', async () => {
    const book = await exchange.watchOrderBook(symbol, undefined, { frequency: '10ms' });
    expect(Number(book.bids[0]?.[0])).toBeLessThan(Number(book.asks[0]?.[0]));
    expect((await exchange.watchTrades(symbol)).length).toBeGreaterThan(0);
    expect(Number((await exchange.watchTicker(symbol)).bid)).toBeGreaterThan(0);
    // watchBidsAsks of this ccxt reads the retired JSON fields of the same channel: it can't resolve anywhere.
    expect((await exchange.watchOHLCV(symbol, '1m')).length).toBeGreaterThan(0);
    await exchange.unWatchTrades(symbol);
  });

  test('private: an order, its trade and the balance that it changes', async () => {
    const orders: { id: string; status: string }[] = [];
    const trades: { order: string; amount: number }[] = [];
    const follow = async <T>(watch: () => Promise<T[]>, into: T[]) => {
      for (;;) into.push(...(await watch()));
    };
    // Ends with the socket.
    const quiet = () => undefined;
    follow(() => exchange.watchOrders(symbol) as Promise<typeof orders>, orders).catch(quiet);
    follow(() => exchange.watchMyTrades(symbol) as unknown as Promise<typeof trades>, trades).catch(quiet);
    const balance = exchange.watchBalance();
    const placed = await until('the private streams', 10_000, async () => {
      const order = await exchange.createOrder(symbol, 'market', 'buy', 0.001);
      await new Promise((resolve) => setTimeout(resolve, 100));
      return trades.some((trade) => trade.order === order.id) ? order : undefined;
    });
    await until('the order to be closed', 5_000, () =>
      orders.some((order) => order.id === placed.id && order.status === 'closed'),
    );
    expect((await balance)['USDC']).toBeDefined();
  });
});

describe('frames', () => {
  const require = createRequire(import.meta.url);
  const compiled = join(checkout, 'node_modules/ccxt/js/src/protobuf/mexc/compiled.cjs');
  const { PushDataV3ApiWrapper } = require(compiled) as {
    PushDataV3ApiWrapper: {
      decode(bytes: Uint8Array): unknown;
      encode(message: unknown): { finish(): Uint8Array };
      fromObject(plain: unknown): unknown;
      toObject(message: unknown, options: object): Record<string, unknown>;
    };
  };

  /** Without what a decoder may leave out: proto3 keeps no difference between absent and default. */
  function bare(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(bare);
    if (typeof value !== 'object' || value === null) return value;
    const kept = Object.entries(value)
      .filter(([, v]) => v !== '' && v !== 0 && v !== '0' && v !== false && v !== null)
      .filter(([, v]) => !(Array.isArray(v) && v.length === 0))
      // What only their schema (market) or only the newer one names is not compared.
      .filter(([k]) => k !== 'market');
    return Object.fromEntries(kept.map(([k, v]) => [k, bare(v)]));
  }
  const theirs = (bytes: Uint8Array) =>
    bare(PushDataV3ApiWrapper.toObject(PushDataV3ApiWrapper.decode(bytes), { longs: String }));
  const ours = (bytes: Uint8Array) => {
    const { stdout } = spawnSync(venueBinary, ['decode', Buffer.from(bytes).toString('hex')]);
    return bare(JSON.parse(stdout.toString()));
  };

  test('both decoders read the same from the frames of every channel', async () => {
    const { listenKey } = (await exchange.spotPrivatePostUserDataStream()) as { listenKey: string };
    const socket = new WebSocket(`${venue.ws}?listenKey=${listenKey}`);
    socket.binaryType = 'arraybuffer';
    const frames = new Map<string, Uint8Array>();
    let acked = false;
    socket.onmessage = ({ data }) => {
      if (typeof data === 'string') {
        acked = true;
        return;
      }
      const bytes = new Uint8Array(data as ArrayBuffer);
      const { channel } = PushDataV3ApiWrapper.decode(bytes) as { channel: string };
      frames.set(channel, bytes);
    };
    await new Promise((resolve) => {
      socket.onopen = resolve;
    });
    const channels = [
      'spot@public.aggre.depth.v3.api.pb@10ms@BTCUSDC',
      'spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDC',
      'spot@public.aggre.bookTicker.v3.api.pb@10ms@ETHUSDC',
      'spot@public.limit.depth.v3.api.pb@BTCUSDC@5',
      'spot@public.kline.v3.api.pb@BTCUSDC@Min1',
      'spot@public.miniTicker.v3.api.pb@BTCUSDC@UTC+8',
      'spot@public.miniTickers.v3.api.pb@24H',
      'spot@private.orders.v3.api.pb',
      'spot@private.deals.v3.api.pb',
      'spot@private.account.v3.api.pb',
    ];
    socket.send(JSON.stringify({ method: 'SUBSCRIPTION', params: channels }));
    await until('the acknowledgement', 5_000, () => acked);
    await exchange.createOrder(symbol, 'market', 'buy', 0.001);
    await until('a frame of every channel', 10_000, () => frames.size === channels.length);
    socket.close();
    for (const [channel, bytes] of frames) expect(ours(bytes), channel).toEqual(theirs(bytes));
  });

  test('our decoder reads what their encoder writes', () => {
    const plain = {
      channel: 'spot@public.aggre.depth.v3.api.pb@10ms@BTCUSDC',
      symbol: 'BTCUSDC',
      sendTime: '1760000000123',
      publicAggreDepths: {
        asks: [{ price: '100000.01', quantity: '0.25' }],
        bids: [{ price: '99999.99', quantity: '0' }],
        eventType: 'spot@public.aggre.depth.v3.api.pb@10ms',
        fromVersion: '1001',
        toVersion: '1003',
      },
    };
    const bytes = PushDataV3ApiWrapper.encode(PushDataV3ApiWrapper.fromObject(plain)).finish();
    expect(ours(bytes)).toEqual(bare(plain));
  });
});

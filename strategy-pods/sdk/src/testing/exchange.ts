// A small exchange for tests: own orders against scripted or recorded books and trades.

import type { BookView } from '../book.js';
import type { AssetName, DecimalText, SymbolName } from '../brand.js';
import {
  type Amount,
  amountOf,
  type Fixed,
  fixedFromNumber,
  formatFixed,
  notionalOf,
  parseFixed,
} from '../decimal.js';
import type { OrderEventKind, TradeBatch } from '../events.js';
import type { Instrument } from '../instrument.js';
import type { CancelOutput, Output, WantedQuotesOutput } from '../outputs.js';
import type { TestAccounts } from './accounts.js';
import { Liquidity } from './liquidity.js';
import { type OrderReport, pairOf, type TestOrder } from './orders.js';
import { Resting } from './resting.js';

/**
 * What it models:
 * - An order rests behind all that is displayed at its price; a trade at its price eats that queue first; a trade
 *   through its price fills it up to the traded quantity. What a level loses without a trade was behind it.
 * - A taker gets what the newest book displays, up to its limit; what it took comes back with the next book.
 * - Wanted quotes are diffed as the core does: a resting quote stays within the tolerance and with half of its
 *   quantity left. A quote that has ended is placed again with the next wanted set.
 * - LIMIT_MAKER that would take is rejected (30041); FOK is all or nothing; own coins must cover an order; fees of
 *   the instrument, in quote; a constant latency between a decision and what becomes of it.
 *
 * What it does not: queue jumps by cancels ahead, hidden size, the reaction of others to own orders, the core's risk
 * limits and rate budget, what a rule of the core quotes, own orders meeting each other. Tests of those run against `flashpod-venue`.
 */
export class TestExchange {
  readonly #instruments: ReadonlyMap<SymbolName, Instrument>;
  readonly #accounts: TestAccounts;
  readonly #report: (report: OrderReport) => void;
  readonly #liquidity = new Map<SymbolName, Liquidity>();
  #resting: Resting[] = [];

  constructor(
    instruments: readonly Instrument[],
    accounts: TestAccounts,
    report: (report: OrderReport) => void,
  ) {
    this.#instruments = new Map(instruments.map((one) => [one.symbol, one]));
    this.#accounts = accounts;
    this.#report = report;
  }

  get openOrders(): readonly TestOrder[] {
    return this.#resting.map(({ order }) => order);
  }

  handleBook(book: BookView): void {
    this.#liquidity.set(book.symbol, new Liquidity(book));
    for (const resting of this.#restingIn(book.symbol)) resting.see(book);
  }

  handleTrades({ symbol, trades }: TradeBatch): void {
    for (const trade of trades) {
      let left = fixedFromNumber(trade.quantity);
      // The best price is met first; among equals, the older order.
      const better = (a: Resting, b: Resting) =>
        trade.side === 'Sell' ? Number(b.price - a.price) : Number(a.price - b.price);
      for (const resting of this.#restingIn(symbol).sort(better)) {
        if (left === 0n) break;
        const filled = resting.meet(fixedFromNumber(trade.price), left, trade.side);
        left -= filled;
        if (filled > 0n) this.#fill(resting.order, resting.price, filled, true);
      }
    }
    this.#resting = this.#resting.filter(({ remaining }) => remaining > 0n);
  }

  /** Takes what the strategy wanted, when it arrives at the exchange. */
  handle(output: Output): void {
    if (output.kind === 'quotes') this.#requote(output);
    else if (output.kind === 'intent') this.#submit(output);
    else if (output.kind === 'rule') this.#endQuotes(output.symbol);
    else this.#cancel(output);
  }

  #requote(wanted: WantedQuotesOutput): void {
    const pair = pairOf(wanted);
    for (const [slot, order] of [pair.bid, pair.ask].entries()) {
      const resting = this.#resting.find(
        ({ order: one }) => one.symbol === wanted.symbol && one.ref === undefined && one.slot === slot,
      );
      if (resting && order && this.#stays(resting, order, wanted.toleranceTicks)) continue;
      if (resting) this.#end(resting);
      if (order) this.#submit(order);
    }
  }

  #endQuotes(symbol: SymbolName): void {
    const quotes = this.#restingIn(symbol).filter(({ order }) => order.ref === undefined);
    for (const quote of quotes) this.#end(quote);
  }

  #stays({ price, remaining }: Resting, order: TestOrder, toleranceTicks: number): boolean {
    const tick = this.#instrument(order.symbol).tick;
    const drift = price - parseFixed(order.price ?? '0');
    const within = (drift < 0n ? -drift : drift) / tick <= BigInt(toleranceTicks);
    return within && remaining >= parseFixed(order.quantity) / 2n;
  }

  #submit(order: TestOrder): void {
    const liquidity = this.#liquidity.get(order.symbol);
    const limit = order.price === undefined ? undefined : parseFixed(order.price);
    const takes = liquidity?.takes(order.side, limit) ?? 0n;
    if (!this.#covered(order, limit, liquidity)) this.#say(order, 'Rejected', 'RISK_BALANCE');
    else if (order.type !== 'LimitMaker') this.#take(order, limit, liquidity);
    else if (takes > 0n) this.#say(order, 'Rejected', 'MEXC_30041');
    else {
      this.#rest(order, limit ?? 0n, parseFixed(order.quantity));
      this.#say(order, 'Accepted');
    }
  }

  #take(order: TestOrder, limit: Fixed | undefined, liquidity: Liquidity | undefined): void {
    this.#say(order, 'Accepted');
    let left = parseFixed(order.quantity);
    const enough = order.type !== 'Fok' || (liquidity?.takes(order.side, limit) ?? 0n) >= left;
    for (const { price, quantity } of enough ? (liquidity?.take(order.side, limit, left) ?? []) : []) {
      left -= quantity;
      this.#fill(order, price, quantity, false);
    }
    if (left === 0n) return;
    if (order.type === 'Limit') this.#rest(order, limit ?? 0n, left);
    else this.#say(order, 'Cancelled');
  }

  #rest(order: TestOrder, price: Fixed, quantity: Fixed): void {
    const ahead = this.#liquidity.get(order.symbol)?.displayed(order.side, price) ?? 0n;
    this.#resting.push(new Resting(order, price, quantity, ahead));
  }

  #cancel({ ref, symbol }: CancelOutput): void {
    for (const resting of [...this.#resting]) {
      const meant =
        ref === undefined
          ? (symbol ?? resting.order.symbol) === resting.order.symbol
          : resting.order.ref === ref;
      if (meant) this.#end(resting);
    }
  }

  #end(resting: Resting): void {
    this.#resting = this.#resting.filter((one) => one !== resting);
    this.#say(resting.order, 'Cancelled');
  }

  #covered(order: TestOrder, limit: Fixed | undefined, liquidity: Liquidity | undefined): boolean {
    const quantity = parseFixed(order.quantity);
    const { asset, amount } = this.#cost(order, quantity, limit ?? liquidity?.worst('Buy', quantity) ?? 0n);
    // Orders of every pair draw on the same coins.
    const locked = this.#resting
      .map(({ order: one, price, remaining }) => this.#cost(one, remaining, price))
      .reduce((sum, one) => (one.asset === asset ? sum + one.amount : sum), 0n);
    return this.#accounts.balance(asset) >= amount + locked;
  }

  /** What an order takes of the own coins. */
  #cost({ symbol, side }: TestOrder, quantity: Fixed, price: Fixed): { asset: AssetName; amount: Amount } {
    const { baseAsset, quoteAsset } = this.#instrument(symbol);
    return side === 'Sell'
      ? { asset: baseAsset, amount: amountOf(quantity) }
      : { asset: quoteAsset, amount: notionalOf(quantity, price) };
  }

  #fill(order: TestOrder, price: Fixed, quantity: Fixed, maker: boolean): void {
    const kind = this.#accounts.remaining(order) === quantity ? 'Filled' : 'PartiallyFilled';
    const fill = { price: formatFixed(price), quantity: formatFixed(quantity) as DecimalText, maker };
    this.#report({ order, kind, fill });
  }

  #say(order: TestOrder, kind: OrderEventKind, code = ''): void {
    this.#report({ order, kind, code });
  }

  #restingIn(symbol: SymbolName): Resting[] {
    return this.#resting.filter(({ order }) => order.symbol === symbol);
  }

  #instrument(symbol: SymbolName): Instrument {
    const instrument = this.#instruments.get(symbol);
    if (instrument === undefined) throw new Error(`${symbol} is none of the instruments of this stage`);
    return instrument;
  }
}

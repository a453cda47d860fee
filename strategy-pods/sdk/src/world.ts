// The newest known state of everything a strategy may read.

import type { BookView } from './book.js';
import type { AssetName, DecimalText, SymbolName } from './brand.js';
import { type Amount, amountOf, formatAmount, notionalOf, parseAmount, parseFixed } from './decimal.js';
import { StrategyError } from './errors.js';
import type { Mode, OrderEvent, Position, Snapshot, TradingState } from './events.js';
import type { Instrument } from './instrument.js';

const zero = '0' as DecimalText;

export class World {
  mode: Mode = 'Paper';
  // Nothing may trade before the core has said so.
  state: TradingState = 'Halted';
  readonly balances = new Map<AssetName, DecimalText>();
  readonly #instruments = new Map<SymbolName, Instrument>();
  readonly #books = new Map<SymbolName, BookView>();
  readonly #positions = new Map<SymbolName, Position>();
  #snapshotSequence = 0n;

  get symbols(): readonly SymbolName[] {
    return [...this.#instruments.keys()];
  }

  /** Starts over from what the core says; books come anew. */
  restore(snapshot: Snapshot): void {
    this.mode = snapshot.mode;
    this.state = snapshot.state;
    this.#snapshotSequence = snapshot.lastSequence;
    this.#books.clear();
    replace(
      this.#instruments,
      snapshot.instruments.map((one) => [one.symbol, one]),
    );
    replace(
      this.#positions,
      snapshot.positions.map((one) => [one.symbol, one]),
    );
    replace(this.balances, [...snapshot.balances]);
  }

  /** Without a session no book is current. */
  disconnect(): void {
    for (const [symbol, book] of this.#books) this.#books.set(symbol, { ...book, certified: false });
  }

  setBook(book: BookView): void {
    this.#books.set(book.symbol, book);
  }

  /** Takes position and balances from an order event, unless the snapshot was newer. */
  apply(event: OrderEvent): void {
    if (event.sequence <= this.#snapshotSequence) return;
    if (event.position !== undefined) this.#positions.set(event.symbol, event.position);
    this.#bookFill(event);
  }

  instrument(symbol: SymbolName): Instrument {
    const instrument = this.#instruments.get(symbol);
    if (instrument !== undefined) return instrument;
    const accepted = this.symbols.join(', ');
    throw new StrategyError('UNKNOWN_SYMBOL', `symbol ${symbol} is not traded here; accepted: ${accepted}`);
  }

  book(symbol: SymbolName): BookView | undefined {
    return this.#books.get(symbol);
  }

  position(symbol: SymbolName): Position {
    return this.#positions.get(symbol) ?? flat(this.instrument(symbol).symbol);
  }

  #bookFill({ symbol, side, fill }: OrderEvent): void {
    if (fill === undefined) return;
    const { baseAsset, quoteAsset } = this.instrument(symbol);
    const quantity = parseFixed(fill.quantity);
    const base = amountOf(quantity);
    const quote = notionalOf(quantity, parseFixed(fill.price));
    this.#credit(baseAsset, side === 'Buy' ? base : -base);
    this.#credit(quoteAsset, side === 'Buy' ? -quote : quote);
    this.#credit(fill.feeAsset, -parseAmount(fill.fee));
  }

  #credit(asset: AssetName, amount: Amount): void {
    const held = parseAmount(this.balances.get(asset) ?? zero);
    this.balances.set(asset, formatAmount(held + amount));
  }
}

function replace<K, V>(map: Map<K, V>, entries: readonly (readonly [K, V])[]): void {
  map.clear();
  for (const [key, value] of entries) map.set(key, value);
}

function flat(symbol: SymbolName): Position {
  return {
    symbol,
    quantity: zero,
    averageCost: zero,
    realisedPnl: zero,
    unrealisedPnl: zero,
    fees: zero,
    openOrders: 0,
    markPrice: zero,
  };
}

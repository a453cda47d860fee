// For tests of strategies: events by hand, a clock that only the test moves, and a strategy on a stage.

import type { BookSide, BookView } from './book.js';
import type { AssetName, ClientOrderId, DecimalText, OrderRef, SymbolName } from './brand.js';
import { formatFixed, parseFixed } from './decimal.js';
import type { OrderEvent, OrderEventKind, Position, Snapshot, Trade, TradeBatch } from './events.js';
import { type Instrument, makeInstrument } from './instrument.js';
import type { IntentOutput, Output, WantedQuotesOutput } from './outputs.js';
import { parseParameters } from './parameters.js';
import { StrategySession } from './session.js';
import type { Clock, Logger, Metrics, StrategyDefinition } from './strategy.js';

export class ManualClock implements Clock {
  #ns: bigint;

  constructor(startNs = 1_000_000_000n) {
    this.#ns = startNs;
  }

  monoNs(): bigint {
    return this.#ns;
  }

  advanceMs(ms: number): void {
    this.#ns += BigInt(Math.round(ms * 1e6));
  }
}

const ignore = (): void => {};
export const silentLog: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
export const noMetrics: Metrics = { count: ignore, gauge: ignore };

export interface InstrumentSketch {
  readonly symbol?: string;
  readonly base?: string;
  readonly quote?: string;
  readonly tick?: string;
  readonly lot?: string;
  readonly minNotional?: string;
}

export function sketchInstrument(sketch: InstrumentSketch = {}): Instrument {
  const { symbol = 'BTCUSDC', base = 'BTC', quote = 'USDC', tick = '0.01', lot = '0.00001' } = sketch;
  return makeInstrument({
    symbol: symbol as SymbolName,
    baseAsset: base as AssetName,
    quoteAsset: quote as AssetName,
    tickSize: tick as DecimalText,
    lotSize: lot as DecimalText,
    minQuantity: lot as DecimalText,
    minNotional: (sketch.minNotional ?? '1') as DecimalText,
    makerFee: '0' as DecimalText,
    takerFee: '0.0005' as DecimalText,
  });
}

/** Levels as `[price, quantity]`, best first. */
export type Levels = readonly (readonly [number, number])[];

export function sketchBook(
  symbol: SymbolName,
  bids: Levels,
  asks: Levels,
  rest: Partial<BookView> = {},
): BookView {
  const side = (levels: Levels): BookSide => ({
    prices: levels.map(([price]) => price),
    quantities: levels.map(([, quantity]) => quantity),
  });
  const moment = { version: 1n, certified: true, conflated: 0, receivedMonoNs: 0n, venueUnixMs: 0 };
  return { symbol, bids: side(bids), asks: side(asks), ...moment, ...rest };
}

export function sketchTrades(symbol: SymbolName, ...trades: readonly Trade[]): TradeBatch {
  return { symbol, trades, dropped: 0, receivedMonoNs: 0n, venueUnixMs: 0 };
}

/** One strategy with its session on hand-made events; keeps positions as the core would. */
export class Stage<P, M> {
  readonly clock: ManualClock;
  readonly session: StrategySession<P, M>;
  readonly instruments: readonly Instrument[];
  readonly #positions = new Map<SymbolName, bigint>();
  #sequence = 0n;

  constructor(
    definition: StrategyDefinition<P, M>,
    parameters: object = {},
    instruments: readonly Instrument[] = [sketchInstrument()],
    snapshot: Partial<Snapshot> = {},
  ) {
    this.clock = new ManualClock();
    this.instruments = instruments;
    this.session = new StrategySession({
      definition,
      parameters: parseParameters(definition, JSON.stringify(parameters)),
      clock: this.clock,
      log: silentLog,
      metrics: noMetrics,
      refPrefix: 't',
    });
    this.session.handleWelcome({
      lastSequence: 0n,
      mode: 'Live',
      state: 'Active',
      instruments,
      positions: [],
      openOrders: [],
      balances: new Map(),
      ...snapshot,
    });
    for (const { symbol, quantity } of snapshot.positions ?? [])
      this.#positions.set(symbol, parseFixed(quantity));
  }

  /** Everything wanted since the last call. */
  outputs(): Output[] {
    return this.session.drain();
  }

  book(view: BookView): Output[] {
    this.session.handleBook(view);
    return this.outputs();
  }

  trades(batch: TradeBatch): Output[] {
    this.session.handleTrades(batch);
    return this.outputs();
  }

  /** What became of an intent or a quote. */
  order(of: IntentOutput | WantedQuotesOutput, kind: OrderEventKind, filled = '0', slot = 0): Output[] {
    this.session.handleOrder(this.#event(of, kind, filled, slot));
    return this.outputs();
  }

  #event(
    of: IntentOutput | WantedQuotesOutput,
    kind: OrderEventKind,
    filled: string,
    slot: number,
  ): OrderEvent {
    const order = of.kind === 'intent' ? of : of.quotes.find((quote) => quote.slot === slot);
    if (order === undefined) throw new Error(`no quote in slot ${slot} was wanted`);
    const price = (order.price ?? '0') as DecimalText;
    const signed = order.side === 'Buy' ? parseFixed(filled) : -parseFixed(filled);
    const quantity = (this.#positions.get(of.symbol) ?? 0n) + signed;
    this.#positions.set(of.symbol, quantity);
    this.#sequence += 1n;
    return {
      sequence: this.#sequence,
      kind,
      symbol: of.symbol,
      clientOrderId: `c${this.#sequence}` as ClientOrderId,
      ref: of.kind === 'intent' ? of.ref : (undefined as OrderRef | undefined),
      slot: of.kind === 'intent' ? undefined : slot,
      side: order.side,
      type: of.kind === 'intent' ? of.type : 'LimitMaker',
      price,
      quantity: order.quantity,
      filledQuantity: filled as DecimalText,
      fill: undefined,
      code: kind === 'Rejected' ? 'TEST' : '',
      text: '',
      position: sketchPosition(of.symbol, formatFixed(quantity), price),
    };
  }
}

export function sketchPosition(symbol: SymbolName, quantity: string, averageCost = '0'): Position {
  const zero = '0' as DecimalText;
  return {
    symbol,
    quantity: quantity as DecimalText,
    averageCost: averageCost as DecimalText,
    realisedPnl: zero,
    unrealisedPnl: zero,
    fees: zero,
    openOrders: 0,
    markPrice: zero,
  };
}

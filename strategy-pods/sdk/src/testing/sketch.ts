// Instruments, books, trades and positions by hand, with everything that a test does not care about filled in.

import type { BookSide, BookView } from '../book.js';
import type { AssetName, DecimalText, SymbolName } from '../brand.js';
import type { Position, Trade, TradeBatch } from '../events.js';
import { type Instrument, makeInstrument } from '../instrument.js';

export interface InstrumentSketch {
  readonly symbol?: string;
  readonly base?: string;
  readonly quote?: string;
  readonly tick?: string;
  readonly lot?: string;
  readonly minQuantity?: string;
  readonly minNotional?: string;
  /** Share of the traded value. */
  readonly makerFee?: string;
  readonly takerFee?: string;
}

/** BTCUSDC as MEXC has it, but for what the sketch says. */
export function sketchInstrument(sketch: InstrumentSketch = {}): Instrument {
  const { symbol = 'BTCUSDC', base = 'BTC', quote = 'USDC', tick = '0.01', lot = '0.00001' } = sketch;
  return makeInstrument({
    symbol: symbol as SymbolName,
    baseAsset: base as AssetName,
    quoteAsset: quote as AssetName,
    tickSize: tick as DecimalText,
    lotSize: lot as DecimalText,
    minQuantity: (sketch.minQuantity ?? lot) as DecimalText,
    minNotional: (sketch.minNotional ?? '1') as DecimalText,
    makerFee: (sketch.makerFee ?? '0') as DecimalText,
    takerFee: (sketch.takerFee ?? '0.0005') as DecimalText,
  });
}

/** Levels as `[price, quantity]`, best first. */
export type Levels = readonly (readonly [number, number])[];

export function sketchBook(
  symbol: string,
  bids: Levels,
  asks: Levels,
  rest: Partial<BookView> = {},
): BookView {
  const side = (levels: Levels): BookSide => ({
    prices: levels.map(([price]) => price),
    quantities: levels.map(([, quantity]) => quantity),
  });
  const moment = { version: 1n, certified: true, conflated: 0, receivedMonoNs: 0n, venueUnixMs: 0 };
  return { symbol: symbol as SymbolName, bids: side(bids), asks: side(asks), ...moment, ...rest };
}

export function sketchTrades(symbol: string, ...trades: readonly Trade[]): TradeBatch {
  return { symbol: symbol as SymbolName, trades, dropped: 0, receivedMonoNs: 0n, venueUnixMs: 0 };
}

export function sketchPosition(symbol: string, quantity: string, averageCost = '0'): Position {
  const zero = '0' as DecimalText;
  return {
    symbol: symbol as SymbolName,
    quantity: quantity as DecimalText,
    averageCost: averageCost as DecimalText,
    realisedPnl: zero,
    unrealisedPnl: zero,
    fees: zero,
    openOrders: 0,
    markPrice: zero,
  };
}

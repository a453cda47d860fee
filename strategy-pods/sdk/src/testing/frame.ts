// One line of a frame file: `<receive time> <JSON>`, as Binance sends it and recorders write it.

import { StrategyError } from '../errors.js';

export type PriceLevels = readonly (readonly [price: string, quantity: string])[];

export type FrameEvent =
  | {
      readonly kind: 'snapshot';
      readonly version: number;
      readonly bids: PriceLevels;
      readonly asks: PriceLevels;
    }
  | {
      readonly kind: 'depth';
      readonly first: number;
      readonly last: number;
      /** Futures name the update before. */
      readonly previous: number | undefined;
      readonly bids: PriceLevels;
      readonly asks: PriceLevels;
      readonly venueMs: number;
    }
  | {
      readonly kind: 'trade';
      readonly price: string;
      readonly quantity: string;
      readonly buyerIsMaker: boolean;
      readonly venueMs: number;
    };

export interface Frame {
  /** Receive time since 1970, ns. */
  readonly receivedNs: bigint;
  /** Undefined for a snapshot that does not name its pair. */
  readonly symbol: string | undefined;
  readonly event: FrameEvent;
}

interface Raw {
  readonly data?: Raw;
  readonly e?: string;
  readonly stream?: string;
  readonly s?: string;
  readonly symbol?: string;
  readonly lastUpdateId?: number;
  readonly bids?: PriceLevels;
  readonly asks?: PriceLevels;
  readonly U?: number;
  readonly u?: number;
  readonly pu?: number;
  readonly b?: PriceLevels | string;
  readonly a?: PriceLevels | string;
  readonly p?: string;
  readonly q?: string;
  readonly m?: boolean;
  readonly E?: number;
}

/** The unit of a receive time follows from its digits: milliseconds, microseconds or nanoseconds since 1970. */
const factors: Readonly<Record<number, bigint>> = { 13: 1_000_000n, 16: 1_000n, 19: 1n };

/** Reads one line; undefined for kinds of frames that books and trades don't need. `place` names it in errors. */
export function parseFrame(line: string, place: string): Frame | undefined {
  const space = line.indexOf(' ');
  const digits = line.slice(0, Math.max(space, 0));
  const factor = /^\d+$/.test(digits) ? factors[digits.length] : undefined;
  if (factor === undefined) {
    throw new StrategyError(
      'BAD_RECORDING',
      `${place} begins ${JSON.stringify(line.slice(0, 40))}; accepted: a receive time in ms, µs or ns since 1970, a space, JSON`,
    );
  }
  let raw: Raw;
  try {
    raw = JSON.parse(line.slice(space + 1)) as Raw;
  } catch (cause) {
    throw new StrategyError('BAD_RECORDING', `${place} holds no JSON: ${(cause as Error).message}`, {
      cause,
    });
  }
  const outer = raw.data ?? raw;
  const event = eventOf(outer, raw.stream, place);
  return event && { receivedNs: BigInt(digits) * factor, symbol: outer.s ?? outer.symbol, event };
}

function eventOf(raw: Raw, stream: string | undefined, place: string): FrameEvent | undefined {
  if (raw.lastUpdateId !== undefined) {
    const { bids, asks } = raw;
    if (!Array.isArray(bids) || !Array.isArray(asks)) throw missing(place, 'snapshot', 'bids and asks');
    return { kind: 'snapshot', version: raw.lastUpdateId, bids, asks };
  }
  const venueMs = raw.E ?? 0;
  switch (raw.e ?? stream?.split('@')[1]) {
    case 'depthUpdate': {
      const { U: first, u: last, pu: previous, b: bids, a: asks } = raw;
      if (first === undefined || last === undefined) throw missing(place, 'depthUpdate', 'U and u');
      if (!Array.isArray(bids) || !Array.isArray(asks)) throw missing(place, 'depthUpdate', 'b and a');
      return { kind: 'depth', first, last, previous, bids, asks, venueMs };
    }
    case 'trade': {
      const { p: price, q: quantity, m: buyerIsMaker } = raw;
      if (price === undefined || quantity === undefined || buyerIsMaker === undefined)
        throw missing(place, 'trade', 'p, q and m');
      // Futures tell settlements of the insurance fund as trades of nothing.
      if (Number(price) === 0 || Number(quantity) === 0) return undefined;
      return { kind: 'trade', price, quantity, buyerIsMaker, venueMs };
    }
    default:
      return undefined;
  }
}

const missing = (place: string, kind: string, fields: string): StrategyError =>
  new StrategyError('BAD_RECORDING', `${place}: the ${kind} frame lacks ${fields}`);

// What a strategy hears of: states, trades, orders, positions. Plain data in the words of the wire contract.

import type { AssetName, ClientOrderId, DecimalText, OrderRef, SymbolName } from './brand.js';
import type { Instrument } from './instrument.js';

export type Side = 'Buy' | 'Sell';
export type OrderType = 'Limit' | 'LimitMaker' | 'Ioc' | 'Fok' | 'Market';
export type Mode = 'Paper' | 'Shadow' | 'Live';
/** Active: may open risk. ReduceOnly: cancels and reducing orders pass. Halted: nothing new leaves. */
export type TradingState = 'Active' | 'ReduceOnly' | 'Halted';
export type OrderEventKind = 'Rejected' | 'Accepted' | 'PartiallyFilled' | 'Filled' | 'Cancelled' | 'Unknown';

export interface Trade {
  readonly price: number;
  readonly quantity: number;
  /** The side of the aggressor. */
  readonly side: Side;
}

export interface TradeBatch {
  readonly symbol: SymbolName;
  readonly trades: readonly Trade[];
  /** Trades left out since the last batch because the reader was slow. */
  readonly dropped: number;
  readonly receivedMonoNs: bigint;
  readonly venueUnixMs: number;
}

export interface Position {
  readonly symbol: SymbolName;
  /** Own base less allocated base; negative when base was sold that the capital gave. */
  readonly quantity: DecimalText;
  readonly averageCost: DecimalText;
  readonly realisedPnl: DecimalText;
  readonly unrealisedPnl: DecimalText;
  /** All fees so far, in quote. */
  readonly fees: DecimalText;
  readonly openOrders: number;
  readonly markPrice: DecimalText;
}

export interface Fill {
  readonly tradeId: string;
  readonly price: DecimalText;
  readonly quantity: DecimalText;
  readonly fee: DecimalText;
  readonly feeAsset: AssetName;
  readonly maker: boolean;
  readonly timeUnixMs: number;
}

export interface OrderEvent {
  /** Counts the order events of the instance, without holes; 0 when the order never left the sidecar. */
  readonly sequence: bigint;
  readonly kind: OrderEventKind;
  readonly symbol: SymbolName;
  readonly clientOrderId: ClientOrderId;
  /** Set for an intent. */
  readonly ref: OrderRef | undefined;
  /** Set for a quote: 0 the bid, 1 the ask. */
  readonly slot: number | undefined;
  readonly side: Side;
  readonly type: OrderType;
  readonly price: DecimalText;
  readonly quantity: DecimalText;
  readonly filledQuantity: DecimalText;
  readonly fill: Fill | undefined;
  /** Why it was rejected, e.g. `RISK_MAX_POSITION` or `MEXC_30004`; empty otherwise. */
  readonly code: string;
  readonly text: string;
  /** The position after this event. */
  readonly position: Position | undefined;
}

/** Everything that holds at the moment a session begins. */
export interface Snapshot {
  /** Sequence of the newest order event that is contained in it; 0 when the core does not say. */
  readonly lastSequence: bigint;
  readonly mode: Mode;
  readonly state: TradingState;
  readonly instruments: readonly Instrument[];
  readonly positions: readonly Position[];
  readonly openOrders: readonly OrderEvent[];
  readonly balances: ReadonlyMap<AssetName, DecimalText>;
}

/** Whether nothing more comes of the order. */
export function isFinal(kind: OrderEventKind): boolean {
  return kind === 'Rejected' || kind === 'Filled' || kind === 'Cancelled';
}

export const opposite = (side: Side): Side => (side === 'Buy' ? 'Sell' : 'Buy');

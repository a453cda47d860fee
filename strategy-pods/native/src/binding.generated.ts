// Generated from core-engine/crates/native by `npm run generate`. Do not edit.

/** Price and quantity as exact decimal text. */
export interface LevelText {
  price: string
  quantity: string
}

export interface Book {
  window(): ArrayBuffer
  /** Replaces everything. */
  load(bidPrices: Float64Array, bidQuantities: Float64Array, askPrices: Float64Array, askQuantities: Float64Array): void
  /** Sets levels; quantity 0 removes. */
  apply(bidPrices: Float64Array, bidQuantities: Float64Array, askPrices: Float64Array, askQuantities: Float64Array): void
  quantityAt(side: string, price: number): number
  top(side: string, count: number): Array<LevelText>
  dispose(): void
}

/** Counts of what happened to the updates. */
export interface BookCounters {
  applied: number
  duplicates: number
  overlaps: number
  gaps: number
  crossings: number
  syncs: number
  discarded: number
  waiting: number
}

/** How many frames did what. */
export interface FrameCounts {
  applied: number
  duplicate: number
  buffered: number
  lost: number
  other: number
  /** Changed levels in the applied ones. */
  levelChanges: number
}

export interface CertifiedBook {
  window(): ArrayBuffer
  /** Decodes one MEXC frame and applies it. */
  onFrame(bytes: Uint8Array): number
  /** Many frames in one buffer; `ends[i]` is where frame `i` ends. The window shows the last state. */
  onFrames(bytes: Uint8Array, ends: Uint32Array): FrameCounts
  onUpdate(first: number, last: number, prevLast: number | undefined | null, eventMs: number, bidPrices: Float64Array, bidQuantities: Float64Array, askPrices: Float64Array, askQuantities: Float64Array): number
  /** Takes a snapshot; undefined when the book is certified now, else why not. */
  onSnapshot(version: number, bidPrices: Float64Array, bidQuantities: Float64Array, askPrices: Float64Array, askQuantities: Float64Array, limit?: number | undefined | null): string | null
  disconnected(): void
  /** `syncing`, `certified`, or `lost: ` and why. */
  state(): string
  counters(): BookCounters
  top(side: string, count: number): Array<LevelText>
  dispose(): void
}

/** A resting own order was hit by a trade. */
export interface PassiveFillTold {
  key: number
  price: string
  quantity: string
  left: string
}

export interface EstimatedBook {
  place(ask: OrderAsk): PlacementTold
  cancel(order: number): string | null
  aheadOf(order: number): string | null
  /** One depth update, cut as recorded. */
  onDepth(exchangeMs: number, bidPrices: Float64Array, bidQuantities: Float64Array, askPrices: Float64Array, askQuantities: Float64Array): void
  onTrade(price: number, quantity: number, taker: string, exchangeMs: number): Array<PassiveFillTold>
  dispose(): void
}

/** One displayed level after one change. */
export interface LevelChangeTold {
  side: 'Buy' | 'Sell'
  price: string
  quantity: string
}

/** One order of a queue. */
export interface QueuedTold {
  key: number
  quantity: string
}

export interface FifoBook {
  place(ask: OrderAsk): PlacementTold
  /** What the order had left; undefined when it did not rest. */
  cancel(order: number): string | null
  aheadOf(order: number): string | null
  levels(side: string, count: number): Array<LevelText>
  queue(side: string, price: string): Array<QueuedTold>
  /** The changes of displayed levels since the last call, in order. */
  drainChanges(): Array<LevelChangeTold>
  dispose(): void
}

export interface Market {
  /** Lets the next `items` events of the replay happen; how many fills wait to be taken. */
  advance(items: number): number
  /** `symbol`: its number in the batches. */
  place(symbol: number, ask: OrderAsk): PlacementTold
  /** What the order had left; undefined when it did not rest. */
  cancel(order: number): string | null
  aheadOf(order: number): string | null
  /** The fills since the last call, in order. */
  takeFills(): Array<PassiveFillTold>
  dispose(): void
}

/** An order as JavaScript says it. */
export interface OrderAsk {
  /** A number of the caller's choice, never used twice. */
  key: number
  side: 'Buy' | 'Sell'
  type: 'Limit' | 'LimitMaker' | 'Ioc' | 'Fok' | 'Market'
  /** The limit; left out for Market. */
  price?: string
  /** In base. Either this or `quoteAmount`. */
  quantity?: string
  /** In quote; Market only. */
  quoteAmount?: string
  /** Lot size that a quote amount is rounded down to. Default 0.00000001. */
  lot?: string
}

/** One execution on arrival. */
export interface MatchTold {
  /** The resting order; missing where only displayed quantity is known. */
  maker?: number
  price: string
  quantity: string
  makerLeft: string
}

/** What came of an arriving order. */
export interface PlacementTold {
  refusal?: 'WouldTake' | 'NotFillable' | 'NoOpponent'
  matches: Array<MatchTold>
  /** What rests now. */
  resting: string
}

/** One frame: `kind` names the body that is set. */
export interface PushFrame {
  channel: string
  symbol?: string
  createdMs?: number
  sentMs?: number
  /** Name of the set body, or `unused`. */
  kind: string
  depth?: Depth
  limitDepth?: LimitDepth
  deals?: Array<Deal>
  bookTicker?: BookTicker
  kline?: Kline
  order?: OrderPush
  fill?: FillPush
  balance?: BalancePush
  /** With kind `unused`: the name of the body in the schema. */
  unused?: string
}

/** Parallel arrays. */
export interface Levels {
  prices: Float64Array
  quantities: Float64Array
}

export interface Depth {
  from: number
  to: number
  bids: Levels
  asks: Levels
  lastOrderCreatedMs?: number
}

export interface LimitDepth {
  version?: number
  bids: Levels
  asks: Levels
}

export interface Deal {
  price: string
  quantity: string
  /** Side of the aggressor. */
  taker: 'Buy' | 'Sell'
  timeMs: number
  id: string
}

export interface BookTicker {
  bidPrice?: string
  bidQuantity?: string
  askPrice?: string
  askQuantity?: string
  version?: number
}

export interface Kline {
  interval: string
  startS: number
  endS: number
  open: string
  close: string
  high: string
  low: string
  volume: string
  turnover: string
}

export interface OrderPush {
  orderId: string
  clientId: string
  side: 'Buy' | 'Sell'
  /** Missing: a kind that Flashpod never sends. */
  type?: 'Limit' | 'LimitMaker' | 'Ioc' | 'Fok' | 'Market'
  price: string
  quantity: string
  executed: string
  executedQuote: string
  /** 1 new, 2 filled, 3 partially filled, 4 cancelled, 5 partially filled then cancelled. */
  status: number
  createdMs: number
}

export interface FillPush {
  tradeId: string
  orderId: string
  clientId: string
  side: 'Buy' | 'Sell'
  price: string
  quantity: string
  quote: string
  fee: string
  feeAsset: string
  maker: boolean
  selfTrade: boolean
  timeMs: number
}

export interface BalancePush {
  asset: string
  free: string
  freeChange: string
  locked: string
  lockedChange: string
  cause: string
  timeMs: number
}

/** Events in order of receive time, as parallel arrays of `length` items. */
export interface Batch {
  length: number
  /** Receive time of the first frame of depth or trades, nanoseconds since 1970, as decimal text. */
  startNs: string
  /** Frames read for this batch, the unused ones included. */
  frames: number
  /** Changed levels in the events of kind book. */
  levelChanges: number
  /** What the numbers in `symbol` mean; grows from batch to batch. */
  symbols: Array<string>
  /** 0 book, 1 trade, 2 snapshot, 3 certificate lost. */
  kind: Uint8Array
  symbol: Uint8Array
  elapsedNs: Float64Array
  /** When the venue made the message, milliseconds since 1970; 0 for snapshots. */
  venueMs: Float64Array
  /** Update id of books, trade id of trades. */
  id: Float64Array
  /** Row of `trades` for trades, else of `books`. */
  row: Uint32Array
  books: BookRows
  changes: ChangeRows
  trades: TradeRows
}

/** States of books; row `r` has its levels at `r * levels`, best first, filled up with NaN and 0. */
export interface BookRows {
  levels: number
  bidPrices: Float64Array
  bidQuantities: Float64Array
  askPrices: Float64Array
  askQuantities: Float64Array
  /** How many levels the whole side has. */
  bidLevels: Uint32Array
  askLevels: Uint32Array
  /** The changes of row `r` begin here: those of bids, then those of asks. */
  firstChange: Uint32Array
  bidChanges: Uint32Array
  askChanges: Uint32Array
}

/** Changed levels; quantity 0 removes. */
export interface ChangeRows {
  prices: Float64Array
  quantities: Float64Array
}

export interface TradeRows {
  prices: Float64Array
  quantities: Float64Array
  /** Side of the aggressor: 0 buy, 1 sell. */
  takers: Uint8Array
  /** When the trade was made, milliseconds since 1970. */
  timesMs: Float64Array
}

export interface Replay {
  /**
  * `levels`: how many of each side a book row shows. `symbols`: only these; empty for all. `market`: keeps what
  * was read for a `Market`.
  */
  /** Reads up to `items` events; null at the end. */
  read(items: number): Promise<Batch | null>
  /** Ends the read that runs, if one does, and all later ones. */
  cancel(): void
  /** Closes the files. */
  dispose(): void
}

/** What loading the addon gives. */
export interface Binding {
  readonly Book: new (levels: number) => Book;
  readonly CertifiedBook: new (rule: string, levels: number, waitingLimit: number, symbol?: string | undefined | null) => CertifiedBook;
  readonly EstimatedBook: new (queueModel: string) => EstimatedBook;
  /** Panics on purpose: shows that this build turns panics into errors (a build with `panic = "abort"` would not). */

  provokePanic(): void;
  readonly FifoBook: new () => FifoBook;
  readonly Market: new (replay: Replay, queueModel: string) => Market;
  decodePush(bytes: Uint8Array): PushFrame;
  encodePush(frame: PushFrame): Buffer;
  readonly Replay: new (files: Array<string>, symbols: Array<string>, levels: number, market: boolean) => Replay;
}


// How a stage is set, and the snapshot that the strategy begins with.

import type { AssetName, DecimalText } from '../brand.js';
import type { Mode, Position, Snapshot, TradingState } from '../events.js';
import type { Instrument } from '../instrument.js';
import { sketchInstrument } from './sketch.js';

export interface StageOptions {
  /** As a manifest gives them; what is left out has its default. */
  readonly parameters?: object;
  /** Default: BTCUSDC. */
  readonly instruments?: readonly Instrument[];
  /** Coins per asset; others are 0. Default: a million of each asset of the instruments. */
  readonly capital?: Readonly<Record<string, string>>;
  /** Positions at the start. */
  readonly positions?: readonly Position[];
  /** Order events up to here are in the snapshot that the session begins with. Default 0. */
  readonly lastSequence?: bigint;
  readonly mode?: Mode;
  readonly state?: TradingState;
  /**
   * `byHand` (default): nothing happens to an order before the test says so. `simulated`: orders meet the books and
   * trades of the stage; what that models is said at `TestExchange`.
   */
  readonly fills?: 'byHand' | 'simulated';
  /** Between a decision and what becomes of it at the simulated exchange. Default 0. */
  readonly latencyMs?: number;
  /** `throw` (default): an exception of the strategy fails the test. `collect`: the session acts on it, as live. */
  readonly failures?: 'throw' | 'collect';
}

const plenty = '1000000' as DecimalText;

export function snapshotOf(options: StageOptions): Snapshot {
  const instruments = options.instruments ?? [sketchInstrument()];
  const assets = instruments.flatMap(({ baseAsset, quoteAsset }) => [baseAsset, quoteAsset]);
  const { capital } = options;
  const held = (asset: AssetName) =>
    capital === undefined ? plenty : ((capital[asset] ?? '0') as DecimalText);
  return {
    lastSequence: options.lastSequence ?? 0n,
    mode: options.mode ?? 'Live',
    state: options.state ?? 'Active',
    instruments,
    positions: options.positions ?? [],
    openOrders: [],
    balances: new Map(assets.map((asset) => [asset, held(asset)])),
  };
}

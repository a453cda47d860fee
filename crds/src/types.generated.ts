// Generated from crds/*.yaml by crds/scripts/generate.mjs; do not edit.

import type { ObjectBase } from './object.js';

export interface ExecutionCoreSpecPlacement {
  nodeSelector?: Record<string, string>;
}

export interface JournalSize {
  /** Size of one file, which is written ahead as a whole. */
  segmentMiB: number;
  /** The journal of one account takes about this much, and at times one file more. */
  keepMiB: number;
}

export interface ExecutionCoreSpec {
  /** Image of the core; that of the operator's own version when absent. */
  image?: string;
  /** Names of the TradingAccounts it writes for while it holds their Lease. */
  accounts: string[];
  placement?: ExecutionCoreSpecPlacement;
  /** Whole CPUs, exclusive where the kubelet's CPU manager policy is static. */
  cpus: number;
  /** Park sleeps between events, Adaptive looks again for 50 µs first, Spin never sleeps and needs two exclusive CPUs for each account and one more. */
  pollMode: 'Park' | 'Adaptive' | 'Spin';
  /** Port of /metrics and /healthz on the node; 0 lets the core choose. */
  metricsPort: number;
  /** What the core does with open orders, or positions too, when it is stopped. */
  stopPolicy: 'Cancel' | 'Flatten';
  /** How much each account's journal may take on the node, in MiB. Beyond keepMiB the oldest files go, behind a checkpoint. A change replaces the pod of the core. */
  journal: JournalSize;
}

export interface BookStatus {
  symbol: string;
  state: string;
  version?: number;
  gaps?: number;
  certifiedShare?: number;
  frames?: number;
  ageMs?: number;
  bestBid?: string;
  bestAsk?: string;
}

export interface HopStatus {
  hop: string;
  count: number;
  p50Us?: number;
  p90Us?: number;
  p99Us?: number;
  p999Us?: number;
  maxUs?: number;
}

export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  observedGeneration?: number;
  lastTransitionTime: string;
  reason: string;
  message: string;
}

export interface ExecutionCoreStatus {
  observedGeneration?: number;
  pod?: string;
  node?: string;
  metricsAddress?: string;
  version?: string;
  books?: BookStatus[];
  /** Time per hop of an order's path, microseconds. */
  hops?: HopStatus[];
  conditions?: Condition[];
}

/** One execution core, one pod - the process that owns books, risk, orders and the journal of its accounts. */
export interface ExecutionCore extends ObjectBase {
  apiVersion: 'trading.flashpod.dev/v1alpha1';
  kind: 'ExecutionCore';
  spec: ExecutionCoreSpec;
  status?: ExecutionCoreStatus;
}

export interface HaltSpecSelector {
  /** Names of TradingStrategies. */
  strategies?: string[];
  accounts?: string[];
  cores?: string[];
  all?: boolean;
}

export type HaltAction = 'Block' | 'Cancel' | 'Flatten';

export interface HaltSpec {
  /** What it covers; an instance is covered when any of the lists names it. */
  selector: HaltSpecSelector;
  /** Block stops new orders, Cancel also cancels open ones, Flatten also closes positions. */
  action: HaltAction;
  reason?: string;
}

export interface HaltReached {
  core: string;
  blockedAt?: string;
  cancelsSentAt?: string;
  flat?: boolean;
  instances?: number;
}

export interface HaltStatus {
  /** What each core did, written by the agent beside it. */
  reached?: HaltReached[];
  /** Selects, written by the operator - whether it covers a strategy now, and which. */
  conditions?: Condition[];
}

/** Stops trading at the cores, for as long as the object exists, also while the operator is down. */
export interface Halt extends ObjectBase {
  apiVersion: 'trading.flashpod.dev/v1alpha1';
  kind: 'Halt';
  spec: HaltSpec;
  status?: HaltStatus;
}

export interface StrategyRef {
  name: string;
  uid: string;
}

export interface ObjectRef {
  name: string;
}

export type TradingMode = 'Paper' | 'Shadow' | 'Live';

export interface Capital {
  asset: string;
  amount: string;
}

export type OnLossLimit = 'Halt' | 'ReduceOnly';

export interface RiskLimits {
  /** Largest value of one order. */
  maxOrderNotional: string;
  /** Largest value of the position in one pair, every open and unknown order of a side counted. */
  maxPositionNotional: string;
  /** Largest quantity of one order, in the base asset of the pair. */
  maxOrderQuantity?: string;
  maxOpenOrders: number;
  /** Orders whose request or cancel the exchange has not answered yet. */
  maxInFlight?: number;
  /** Orders per second. MEXC allows 12 order calls a second per account. */
  maxOrderRate: number;
  /** Largest distance of a price from the certified mid, in basis points. */
  priceCollarBps: number;
  /** A book older than this, by its connection, opens no risk. */
  maxDataAgeMs: number;
  /** Loss since 00:00 UTC, realised and unrealised, after fees, of all instances of the strategy. What reaches it stops as onLossLimit says, until a new value of the annotation trading.flashpod.dev/reset-risk; neither a new day nor a restart lifts it. */
  maxDailyLoss?: string;
  /** As maxDailyLoss, from the highest profit since the strategy began or was reset. */
  maxDrawdown?: string;
  /** What a loss limit does. Halt (when left out): open orders are cancelled and nothing leaves. ReduceOnly: open orders are cancelled, and orders that make the position smaller pass. */
  onLossLimit?: OnLossLimit;
}

export type DeletionPolicy = 'Flatten' | 'CancelOnly' | 'Orphan';

export interface OnSidecarLoss {
  action: 'Cancel' | 'Flatten' | 'Keep';
  afterMs: number;
}

export interface StrategyInstanceSpec {
  /** Counts the instances of the strategy, from 1. */
  number: number;
  /** SHA-256 (hex, cut) of what a change of makes a new instance. */
  runsHash: string;
  strategyRef: StrategyRef;
  strategy: string;
  /** The image that carries the strategy; left out, the sidecar with the built-in ones. */
  image?: string;
  symbols: string[];
  accountRef: ObjectRef;
  coreRef: ObjectRef;
  mode: TradingMode;
  parameters: Record<string, unknown>;
  capital: Capital[];
  limits: RiskLimits;
  deletionPolicy: DeletionPolicy;
  onSidecarLoss: OnSidecarLoss;
  /** Secret of the session token, key `token`. Only the pod mounts it. */
  tokenSecretRef: ObjectRef;
  /** All that the core learns of the token. */
  tokenSha256: string;
}

export type TradingState = 'Pending' | 'Active' | 'ReduceOnly' | 'Halted';

export interface PositionStatus {
  symbol: string;
  quantity: string;
  averageCost?: string;
  realisedPnl?: string;
  unrealisedPnl?: string;
  fees?: string;
  markPrice?: string;
  openOrders: number;
}

export interface AssetAmount {
  asset: string;
  amount: string;
}

export interface MarkOut {
  afterMs: number;
  fills: number;
  /** (Mark − price of the fill) × quantity, less for sales, in the quote asset. */
  value: string;
  /** The value as a share of the value of the fills, in basis points. */
  bps?: number;
}

export interface SymbolFigures {
  symbol: string;
  acceptedOrders: number;
  fills: number;
  rejects: number;
  /** Fees in an asset that is none of the pair's, e.g. MX; no part of positions[].fees. */
  otherFees?: AssetAmount[];
  /** How the market went on after fills, from their side; since the core's start. */
  markOuts?: MarkOut[];
}

export interface LossReached {
  rule: 'DailyLoss' | 'Drawdown';
  lost: string;
  limit: string;
  at?: string;
}

export interface LossStatus {
  quoteAsset: string;
  /** Since 00:00 UTC; negative for a gain. */
  dayLoss?: string;
  /** From the highest profit. */
  drawdown?: string;
  /** The limit that was reached; it stops until a reset. */
  reached?: LossReached;
  /** The annotation trading.flashpod.dev/reset-risk that was carried out last. */
  reset?: string;
  resetAt?: string;
}

export interface StrategyInstanceStatusTickToOrder {
  count?: number;
  p50Us: number;
  p99Us: number;
}

export interface StrategyInstanceStatusProof {
  policy: DeletionPolicy;
  noOpenOrders: boolean;
  flat: boolean;
  provenAt?: string;
  waitingFor?: string;
  movedToUnassigned?: AssetAmount[];
  orphanedOrders?: string[];
}

export interface StrategyInstanceStatus {
  observedGeneration?: number;
  state: TradingState;
  reasons?: string[];
  sidecarConnected?: boolean;
  acceptedOrders?: number;
  fills?: number;
  venueRejects?: number;
  riskRejects?: number;
  supersededQuotes?: number;
  conflatedBooks?: number;
  lastReject?: string;
  capitalError?: string;
  /** What another core needs to go on with the instance without the journal of this one; read by cores alone. */
  checkpoint?: string;
  /** When the agent last wrote these figures. */
  checkpointAt?: string;
  positions?: PositionStatus[];
  figures?: SymbolFigures[];
  /** What loss limits look at, per quote asset. */
  losses?: LossStatus[];
  balances?: AssetAmount[];
  /** From the frame that was decided on to the order leaving, microseconds. */
  tickToOrder?: StrategyInstanceStatusTickToOrder;
  /** Proof that the instance stopped as its deletion policy asks; done once provenAt is set. */
  proof?: StrategyInstanceStatusProof;
}

/** One running form of a TradingStrategy. Written by the operator only; what runs cannot be changed, only how strictly it is limited. Its status is written by the core agent only. */
export interface StrategyInstance extends ObjectBase {
  apiVersion: 'trading.flashpod.dev/v1alpha1';
  kind: 'StrategyInstance';
  spec: StrategyInstanceSpec;
  status?: StrategyInstanceStatus;
}

export type Environment = 'Simulated' | 'Production';

export interface TradingAccountSpecEndpointsCaConfigMapRef {
  name: string;
  key: string;
}

export interface TradingAccountSpecEndpoints {
  rest: string;
  ws: string;
  /** PEM of an additional certificate authority to trust, for simulated exchanges. */
  caConfigMapRef?: TradingAccountSpecEndpointsCaConfigMapRef;
}

export interface AccountLimits {
  maxExposure?: string;
  /** Largest share of maxExposure that one pair may take, over all strategies, per cent. */
  maxConcentrationPct?: number;
  maxOpenOrders?: number;
  /** Loss of all strategies together since 00:00 UTC, realised and unrealised, after fees. What reaches it stops every strategy as onLossLimit says, until a new value of the annotation trading.flashpod.dev/reset-risk on this account. */
  maxLoss?: string;
  /** As maxLoss, from the highest profit since the account began or was reset. */
  maxDrawdown?: string;
  /** Halt (when left out) or ReduceOnly, as in a strategy. */
  onLossLimit?: OnLossLimit;
}

export interface PaperMatching {
  /** Of the delays that are drawn. */
  seed: number;
  /** Where a decrease of a displayed quantity happened that no trade explains: Conservative, behind an own order first; Proportional, anywhere. */
  queue: 'Conservative' | 'Proportional';
  /** From the release of an order or a cancel to its answer. When absent, what the core measures of its own requests. */
  delayMicros?: number;
  /** Fraction of a fill's value, e.g. "0.0005"; when absent, as the exchange says. */
  makerFee?: string;
  takerFee?: string;
}

export interface LeaseNumbers {
  durationSeconds: number;
  renewSeconds: number;
  softSeconds: number;
  hardSeconds: number;
}

export interface TradingAccountSpec {
  venue: 'mexc-spot';
  /** Whether orders move real money. The core checks it against the hosts it talks to. */
  environment: Environment;
  /** Where the exchange is; MEXC's own hosts when absent. */
  endpoints?: TradingAccountSpecEndpoints;
  /** Secret with the keys apiKey and secretKey. Only the core reads it. Without it the account trades in mode Paper and Shadow only, on the public market data. */
  credentialsSecretRef?: ObjectRef;
  /** Limits over all strategies of the account. Amounts are in the quote asset of the pairs. */
  limits?: AccountLimits;
  /** How orders of mode Paper and Shadow are matched inside the core. */
  paper?: PaperMatching;
  /** How long a core may write without hearing from Kubernetes: after softSeconds it opens no risk and cancels, after hardSeconds it is silent, after durationSeconds another core may take over. Shorter hands over sooner and trades less through an outage of the control plane. */
  lease: LeaseNumbers;
  /** Mode Live on a Production account also needs this. */
  allowLive: boolean;
}

export interface Balance {
  asset: string;
  free: string;
  locked: string;
}

export interface Adoption {
  /** The annotation that was carried out. */
  request: string;
  at?: string;
  /** What `unassigned` took; empty when there was no difference. */
  amounts?: AssetAmount[];
}

export interface TradingAccountStatus {
  observedGeneration?: number;
  /** UID of the core pod that may write orders. */
  holder?: string;
  /** Grows by one with every change of the holder; part of every client order id. */
  epoch?: number;
  core?: string;
  /** Name of the Secret that the account was accepted with; written by the operator. Cores mount this one, so that an account whose new Secret is refused goes on with the former. */
  credentialsSecret?: string;
  venueUid?: string;
  incarnation?: number;
  /** Pairs the account may trade by API. */
  symbols?: string[];
  /** The whole account as the core's ledger has it. */
  balances?: Balance[];
  /** The part that no strategy owns. */
  unassigned?: AssetAmount[];
  /** Result of the last audit of orders and balances against the exchange. */
  ledgerEqualsVenue?: boolean;
  auditedAt?: string;
  auditDifference?: string;
  /** The newest difference between balances and ledger that somebody accepted (annotation trading.flashpod.dev/adopt). */
  adoption?: Adoption;
  /** What loss limits look at, per quote asset. */
  losses?: LossStatus[];
  conditions?: Condition[];
}

/** An account at an exchange. At any time one execution core writes orders for it. */
export interface TradingAccount extends ObjectBase {
  apiVersion: 'trading.flashpod.dev/v1alpha1';
  kind: 'TradingAccount';
  spec: TradingAccountSpec;
  status?: TradingAccountStatus;
}

export interface ConfigMapKeyRef {
  name: string;
  key: string;
}

export interface TradingStrategySpec {
  /** What runs; built in are imbalance-maker, momentum-taker and touch-maker. */
  strategy: string;
  /** The container image that carries the strategy: the sidecar's image with one package added. Left out: the sidecar with the built-in strategies. */
  image?: string;
  /** The JSON schema of the parameters of the strategy in that image, in a ConfigMap with the label trading.flashpod.dev/parameters-schema; `flashpod schema` makes it. */
  parametersSchemaRef?: ConfigMapKeyRef;
  /** Pairs to trade, e.g. BTCUSDC. */
  symbols: string[];
  /** The TradingAccount in the same namespace. Cannot be changed, since the position belongs to it. */
  accountRef: ObjectRef;
  /** Paper matches orders inside the core, Shadow computes but never sends, Live sends. */
  mode: TradingMode;
  /** Parameters of the strategy, checked against its own schema. */
  parameters: Record<string, unknown>;
  /** Limits in force from the moment they are written, without a restart. Amounts are in the quote asset of the pair. */
  risk: RiskLimits;
  /** What the strategy may spend, per asset, out of what the account does not own for another. */
  capital: Capital[];
  /** What must be true before a stopped strategy is let go. Flatten: no open order and no position. CancelOnly: no open order, the position moves to the account's unassigned part. Orphan: orders stay at the exchange and are listed in an event. */
  deletionPolicy: DeletionPolicy;
  /** What the core does with open orders when the strategy's process is gone. */
  onSidecarLoss: OnSidecarLoss;
  /** Stop by deletionPolicy and run no pod, until this is false again. */
  suspended: boolean;
}

export type InstanceState = 'Pending' | 'Active' | 'ReduceOnly' | 'Halted' | 'Stopping' | 'Stopped' | 'Suspended';

export interface TradingStrategyStatusSummary {
  state: InstanceState;
  /** One line for tables, e.g. "BTCUSDC 0.0012, ETHUSDC -0.01". */
  position?: string;
  realisedPnl?: string;
  unrealisedPnl?: string;
  fees?: string;
  quoteAsset?: string;
  openOrders: number;
  acceptedOrders: number;
  fills: number;
  rejects: number;
  positions?: PositionStatus[];
}

export interface TradingStrategyStatus {
  observedGeneration?: number;
  conditions?: Condition[];
  environment?: Environment;
  /** The StrategyInstance that runs, or the one that stops. */
  instance?: string;
  /** How many instances this strategy has had; the number of the newest one. */
  instancesMade?: number;
  core?: string;
  /** Figures of the instance, summed over its pairs where they share a quote asset. */
  summary?: TradingStrategyStatusSummary;
}

/** A strategy that trades some pairs of one account, within limits and capital of its own. */
export interface TradingStrategy extends ObjectBase {
  apiVersion: 'trading.flashpod.dev/v1alpha1';
  kind: 'TradingStrategy';
  spec: TradingStrategySpec;
  status?: TradingStrategyStatus;
}

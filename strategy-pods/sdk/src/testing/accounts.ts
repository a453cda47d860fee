// Positions and order events as the core would tell them: average cost, realised profit, fees in quote.

import type { AssetName, ClientOrderId, DecimalText, SymbolName } from '../brand.js';
import {
  type Amount,
  amountOf,
  type Fixed,
  formatAmount,
  formatFixed,
  notionalOf,
  parseAmount,
  parseFixed,
} from '../decimal.js';
import type { Fill, OrderEvent, Position, Snapshot } from '../events.js';
import type { Instrument } from '../instrument.js';
import type { OrderReport, TestFill, TestOrder } from './orders.js';
import { sketchPosition } from './sketch.js';

interface Holding {
  quantity: Fixed;
  /** What the open quantity cost; negative for what a short brought in. */
  cost: Amount;
  realised: Amount;
  fees: Amount;
}

/** Fees are shares of the value, taken in the quote asset. */
function feeOf(instrument: Instrument, { price, quantity, maker }: TestFill): Amount {
  const value = notionalOf(parseFixed(quantity), parseFixed(price));
  return (value * parseFixed(maker ? instrument.makerFee : instrument.takerFee)) / 100_000_000n;
}

/** Average cost, as the core keeps it (`crates/orders`, position.rs). */
function shift(holding: Holding, signed: Fixed, value: Amount): void {
  const flow = signed < 0n ? -value : value;
  if (holding.quantity === 0n || holding.quantity < 0n === signed < 0n) {
    holding.quantity += signed;
    holding.cost += flow;
    return;
  }
  const size = signed < 0n ? -signed : signed;
  const held = holding.quantity < 0n ? -holding.quantity : holding.quantity;
  const closing = size < held ? size : held;
  const closedCost = (holding.cost * closing) / held;
  const closedFlow = (flow * closing) / size;
  holding.realised -= closedFlow + closedCost;
  holding.cost += flow - closedFlow - closedCost;
  holding.quantity += signed;
}

export class TestAccounts {
  readonly #instruments: ReadonlyMap<SymbolName, Instrument>;
  readonly #holdings = new Map<SymbolName, Holding>();
  readonly #balances: Map<AssetName, Amount>;
  readonly #filled = new Map<TestOrder, Fixed>();
  readonly #open = new Map<SymbolName, Set<TestOrder>>();
  #sequence: bigint;

  constructor({ instruments, positions, balances, lastSequence }: Snapshot) {
    this.#sequence = lastSequence;
    this.#instruments = new Map(instruments.map((one) => [one.symbol, one]));
    this.#balances = new Map([...balances].map(([asset, amount]) => [asset, parseAmount(amount)]));
    for (const { symbol, quantity, averageCost, realisedPnl, fees } of positions) {
      const units = parseFixed(quantity);
      const cost = notionalOf(units, parseFixed(averageCost));
      const [realised, paid] = [parseAmount(realisedPnl), parseAmount(fees)];
      this.#holdings.set(symbol, { quantity: units, cost, realised, fees: paid });
    }
  }

  balance(asset: AssetName): Amount {
    return this.#balances.get(asset) ?? 0n;
  }

  position(symbol: SymbolName): Position {
    const openOrders = this.#open.get(symbol)?.size ?? 0;
    const holding = this.#holdings.get(symbol);
    if (holding === undefined) return { ...sketchPosition(symbol, '0'), openOrders };
    const { quantity, cost, realised, fees } = holding;
    return {
      ...sketchPosition(symbol, formatFixed(quantity)),
      averageCost: formatFixed(quantity === 0n ? 0n : cost / quantity),
      realisedPnl: formatAmount(realised),
      fees: formatAmount(fees),
      openOrders,
    };
  }

  /** What is left of an order to fill. */
  remaining(order: TestOrder): Fixed {
    return parseFixed(order.quantity) - (this.#filled.get(order) ?? 0n);
  }

  /** Books the report and makes the event that the strategy hears. */
  eventOf({ order, kind, fill, code = '', text = '' }: OrderReport, nowMs: number): OrderEvent {
    this.#sequence += 1n;
    const booked = fill && this.#book(order, fill, nowMs);
    const filledQuantity = formatFixed(this.#filled.get(order) ?? 0n);
    this.#follow(order, kind);
    return {
      sequence: this.#sequence,
      kind,
      symbol: order.symbol,
      clientOrderId: `test-${this.#sequence}` as ClientOrderId,
      ref: order.ref,
      slot: order.ref === undefined ? order.slot : undefined,
      side: order.side,
      type: order.type,
      price: order.price ?? ('0' as DecimalText),
      quantity: order.quantity,
      filledQuantity,
      fill: booked,
      code,
      text,
      position: this.position(order.symbol),
    };
  }

  #follow(order: TestOrder, kind: OrderEvent['kind']): void {
    const open = this.#open.get(order.symbol) ?? new Set();
    this.#open.set(order.symbol, open);
    if (kind === 'Accepted' || kind === 'PartiallyFilled') open.add(order);
    else if (kind !== 'Unknown') {
      open.delete(order);
      this.#filled.delete(order);
    }
  }

  #book(order: TestOrder, fill: TestFill, nowMs: number): Fill {
    const instrument = this.#instruments.get(order.symbol);
    if (instrument === undefined) throw new Error(`${order.symbol} is none of the instruments of this stage`);
    const quantity = parseFixed(fill.quantity);
    const value = notionalOf(quantity, parseFixed(fill.price));
    const fee = feeOf(instrument, fill);
    const holding = this.#holdings.get(order.symbol) ?? { quantity: 0n, cost: 0n, realised: 0n, fees: 0n };
    this.#holdings.set(order.symbol, holding);
    const buys = order.side === 'Buy';
    shift(holding, buys ? quantity : -quantity, value);
    holding.fees += fee;
    this.#credit(instrument.baseAsset, buys ? amountOf(quantity) : -amountOf(quantity));
    this.#credit(instrument.quoteAsset, (buys ? -value : value) - fee);
    this.#filled.set(order, (this.#filled.get(order) ?? 0n) + quantity);
    return {
      tradeId: `test-trade-${this.#sequence}`,
      ...fill,
      fee: formatAmount(fee),
      feeAsset: instrument.quoteAsset,
      timeUnixMs: Math.round(nowMs),
    };
  }

  #credit(asset: AssetName, amount: Amount): void {
    this.#balances.set(asset, this.balance(asset) + amount);
  }
}

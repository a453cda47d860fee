// The one place where messages of the wire become the SDK's plain data, and back.

import {
  type BookUpdate,
  create,
  type Fill as FillMessage,
  OrderEvent_Kind as KindCode,
  Mode as ModeCode,
  type OrderEvent as OrderEventMessage,
  OrderType as OrderTypeCode,
  type Position as PositionMessage,
  type RuleAnswer as RuleAnswerMessage,
  type SessionUp,
  SessionUpSchema,
  Side as SideCode,
  TradingState as StateCode,
  type Trades as TradesMessage,
  type Welcome,
} from '@flashpod/proto';
import {
  type AssetName,
  type BookView,
  type ClientOrderId,
  type DecimalText,
  type Fill,
  type Mode,
  makeInstrument,
  type OrderEvent,
  type OrderEventKind,
  type OrderRef,
  type OrderType,
  type Output,
  type Position,
  type RuleAnswer,
  type Side,
  type Snapshot,
  StrategyError,
  type SymbolName,
  type TradeBatch,
  type TradingState,
} from '@flashpod/sdk';

const sides = new Map<SideCode, Side>([
  [SideCode.BUY, 'Buy'],
  [SideCode.SELL, 'Sell'],
]);
const orderTypes = new Map<OrderTypeCode, OrderType>([
  [OrderTypeCode.LIMIT, 'Limit'],
  [OrderTypeCode.LIMIT_MAKER, 'LimitMaker'],
  [OrderTypeCode.IOC, 'Ioc'],
  [OrderTypeCode.FOK, 'Fok'],
  [OrderTypeCode.MARKET, 'Market'],
]);
const modes = new Map<ModeCode, Mode>([
  [ModeCode.PAPER, 'Paper'],
  [ModeCode.SHADOW, 'Shadow'],
  [ModeCode.LIVE, 'Live'],
]);
const states = new Map<StateCode, TradingState>([
  [StateCode.ACTIVE, 'Active'],
  [StateCode.REDUCE_ONLY, 'ReduceOnly'],
  [StateCode.HALTED, 'Halted'],
]);
const kinds = new Map<KindCode, OrderEventKind>([
  [KindCode.REJECTED, 'Rejected'],
  [KindCode.ACCEPTED, 'Accepted'],
  [KindCode.PARTIALLY_FILLED, 'PartiallyFilled'],
  [KindCode.FILLED, 'Filled'],
  [KindCode.CANCELLED, 'Cancelled'],
  [KindCode.UNKNOWN, 'Unknown'],
]);

function named<C, T>(names: ReadonlyMap<C, T>, code: C, what: string): T {
  const name = names.get(code);
  if (name !== undefined) return name;
  throw new StrategyError('BAD_MESSAGE', `${what} ${code} is not one of ${[...names.keys()].join(', ')}`);
}

function codeOf<C, T>(names: ReadonlyMap<C, T>, name: T): C {
  for (const [code, one] of names) if (one === name) return code;
  throw new StrategyError('BAD_MESSAGE', `${name} has no code`);
}

// Protobuf has no absent strings: an amount that was not set is empty.
const decimal = (text: string): DecimalText => (text === '' ? '0' : text) as DecimalText;

export const stateOf = (code: StateCode): TradingState => named(states, code, 'trading state');

export function snapshotOf(welcome: Welcome): Snapshot {
  return {
    lastSequence: welcome.lastSequence,
    mode: named(modes, welcome.mode, 'mode'),
    state: stateOf(welcome.state),
    instruments: welcome.instruments.map((one) =>
      makeInstrument({
        symbol: one.symbol as SymbolName,
        baseAsset: one.baseAsset as AssetName,
        quoteAsset: one.quoteAsset as AssetName,
        tickSize: decimal(one.tickSize),
        lotSize: decimal(one.lotSize),
        minQuantity: decimal(one.minQuantity),
        minNotional: decimal(one.minNotional),
        makerFee: decimal(one.makerFee),
        takerFee: decimal(one.takerFee),
      }),
    ),
    positions: welcome.positions.map(positionOf),
    openOrders: welcome.openOrders.map(orderEventOf),
    balances: new Map(welcome.balances.map((one) => [one.asset as AssetName, decimal(one.amount)])),
  };
}

export function bookOf(update: BookUpdate): BookView {
  return {
    symbol: update.symbol as SymbolName,
    version: update.version,
    bids: { prices: update.bidPrices, quantities: update.bidQuantities },
    asks: { prices: update.askPrices, quantities: update.askQuantities },
    certified: update.certified,
    conflated: update.conflated,
    receivedMonoNs: update.receivedMonoNs,
    venueUnixMs: Number(update.venueUnixMs),
  };
}

export function tradesOf(message: TradesMessage): TradeBatch {
  return {
    symbol: message.symbol as SymbolName,
    trades: message.prices.map((price, i) => ({
      price,
      quantity: message.quantities[i] ?? 0,
      side: message.buys[i] ? 'Buy' : 'Sell',
    })),
    dropped: message.dropped,
    receivedMonoNs: message.receivedMonoNs,
    venueUnixMs: Number(message.venueUnixMs),
  };
}

export function orderEventOf(message: OrderEventMessage): OrderEvent {
  return {
    sequence: message.sequence,
    kind: named(kinds, message.kind, 'order event kind'),
    symbol: message.symbol as SymbolName,
    clientOrderId: message.clientOrderId as ClientOrderId,
    ref: message.ref === '' ? undefined : (message.ref as OrderRef),
    slot: message.slot,
    side: named(sides, message.side, 'side'),
    type: named(orderTypes, message.type, 'order type'),
    price: decimal(message.price),
    quantity: decimal(message.quantity),
    filledQuantity: decimal(message.filledQuantity),
    fill: message.fill && fillOf(message.fill),
    code: message.code,
    text: message.text,
    position: message.position && positionOf(message.position),
  };
}

export function ruleAnswerOf({ symbol, rule, refused }: RuleAnswerMessage): RuleAnswer {
  return {
    symbol: symbol as SymbolName,
    rule,
    refused: refused && { field: refused.field, value: refused.value, accepted: refused.accepted },
  };
}

function positionOf(message: PositionMessage): Position {
  return {
    symbol: message.symbol as SymbolName,
    quantity: decimal(message.quantity),
    averageCost: decimal(message.averageCost),
    realisedPnl: decimal(message.realisedPnl),
    unrealisedPnl: decimal(message.unrealisedPnl),
    fees: decimal(message.fees),
    openOrders: message.openOrders,
    markPrice: decimal(message.markPrice),
  };
}

function fillOf(message: FillMessage): Fill {
  return {
    tradeId: message.tradeId,
    price: decimal(message.price),
    quantity: decimal(message.quantity),
    fee: decimal(message.fee),
    feeAsset: message.feeAsset as AssetName,
    maker: message.maker,
    timeUnixMs: Number(message.timeUnixMs),
  };
}

export function helloUp(
  instance: string,
  token: string,
  lastSequence: bigint,
  sdkVersion: string,
): SessionUp {
  return create(SessionUpSchema, {
    body: { case: 'hello', value: { instance, token, lastSequence, sdkVersion } },
  });
}

export function heartbeatUp(monoNs: bigint): SessionUp {
  return create(SessionUpSchema, { body: { case: 'heartbeat', value: { monoNs } } });
}

export function failureUp(reason: string): SessionUp {
  return create(SessionUpSchema, { body: { case: 'failure', value: { reason } } });
}

export function outputUp(output: Output): SessionUp {
  switch (output.kind) {
    case 'quotes': {
      const { kind: _, quotes, ...rest } = output;
      const value = {
        ...rest,
        quotes: quotes.map((quote) => ({ ...quote, side: codeOf(sides, quote.side) })),
      };
      return create(SessionUpSchema, { body: { case: 'wantedQuotes', value } });
    }
    case 'rule': {
      const { kind: _, parameters, ...rest } = output;
      return create(SessionUpSchema, {
        body: { case: 'setRule', value: { ...rest, parameters: [...parameters] } },
      });
    }
    case 'intent': {
      const { kind: _, side, type, price = '', ...rest } = output;
      const value = { ...rest, price, side: codeOf(sides, side), type: codeOf(orderTypes, type) };
      return create(SessionUpSchema, { body: { case: 'intent', value } });
    }
    case 'cancel': {
      const { ref = '', symbol = '' } = output;
      return create(SessionUpSchema, { body: { case: 'cancel', value: { ref, symbol } } });
    }
  }
}

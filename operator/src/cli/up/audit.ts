import type { LedgerReply } from '@flashpod/proto';
import { decimalsEqual } from './decimal.js';

/** The part of the venue's `/audit` that is compared: the exchange's own books of one account. */
export interface VenueAudit {
  readonly accounts: readonly VenueAccount[];
  readonly counters: { readonly http429: number; readonly http418: number };
}

export interface VenueAccount {
  readonly apiKey: string;
  readonly balances: readonly { asset: string; free: string; locked: string }[];
  readonly orders: readonly VenueOrder[];
}

export interface VenueOrder {
  readonly orderId: string;
  readonly clientOrderId: string;
  readonly symbol: string;
  readonly side: string;
  readonly price: string;
  readonly origQty: string;
  readonly executedQty: string;
  readonly status: string;
  readonly acceptedUnixNs: string;
  /** When the venue read the first cancel of it; null if none came. */
  readonly cancelRequestedUnixNs: string | null;
  readonly closedUnixNs: string | null;
  readonly fills: readonly {
    tradeId: string;
    price: string;
    qty: string;
    commission: string;
    commissionAsset: string;
  }[];
}

/** What a comparison of the core's ledger with the venue's books found. */
export interface LedgerComparison {
  readonly equal: boolean;
  readonly ordersCompared: number;
  readonly fillsCompared: number;
  readonly balancesCompared: number;
  /** The first differences, in words. */
  readonly differences: readonly string[];
}

const shownDifferences = 20;

const nameOf = ({ clientOrderId, orderId }: VenueOrder) => `order ${clientOrderId || orderId}`;

const finished = new Set(['FILLED', 'CANCELED', 'PARTIALLY_CANCELED']);

/**
 * Compares every balance, order and fill. Orders the venue refused are no orders; foreign orders count. Of orders that
 * ended long ago the core knows only how many there were: exactly so many finished ones, with so many fills, are
 * missing in its list.
 */
export function compareLedgers(core: LedgerReply, venue: VenueAccount): LedgerComparison {
  const differences: string[] = [];
  const differ = (what: string, ours: unknown, theirs: unknown) =>
    differences.push(`${what}: core has ${String(ours)}, venue has ${String(theirs)}`);
  const equalDecimal = (what: string, ours: string, theirs: string) => {
    if (!decimalsEqual(ours, theirs)) differ(what, ours, theirs);
  };

  if (!core.quiescent) differences.push('the core had orders in flight or unknown');

  const ourBalances = new Map(core.balances.map((balance) => [balance.asset, balance]));
  const assets = new Set([...ourBalances.keys(), ...venue.balances.map(({ asset }) => asset)]);
  for (const asset of assets) {
    const theirs = venue.balances.find((balance) => balance.asset === asset);
    const ours = ourBalances.get(asset);
    equalDecimal(`${asset} free`, ours?.free ?? '0', theirs?.free ?? '0');
    equalDecimal(`${asset} locked`, ours?.locked ?? '0', theirs?.locked ?? '0');
  }

  const ourOrders = new Map(
    core.orders.filter(({ status }) => status !== 'REJECTED').map((order) => [order.clientOrderId, order]),
  );
  let fillsCompared = 0;
  const missing: VenueOrder[] = [];
  for (const theirs of venue.orders) {
    const ours = ourOrders.get(theirs.clientOrderId);
    ourOrders.delete(theirs.clientOrderId);
    const name = nameOf(theirs);
    if (!ours) {
      missing.push(theirs);
      continue;
    }
    if (ours.status !== theirs.status) differ(`${name} status`, ours.status, theirs.status);
    if (ours.symbol !== theirs.symbol) differ(`${name} symbol`, ours.symbol, theirs.symbol);
    equalDecimal(`${name} filled quantity`, ours.filledQuantity || '0', theirs.executedQty);
    const ourFills = new Map(ours.fills.map((fill) => [fill.tradeId, fill]));
    for (const fill of theirs.fills) {
      const own = ourFills.get(fill.tradeId);
      ourFills.delete(fill.tradeId);
      fillsCompared += 1;
      if (!own) {
        differ(`${name} fill ${fill.tradeId}`, 'no such fill', `${fill.qty} at ${fill.price}`);
        continue;
      }
      equalDecimal(`${name} fill ${fill.tradeId} price`, own.price, fill.price);
      equalDecimal(`${name} fill ${fill.tradeId} quantity`, own.quantity, fill.qty);
      equalDecimal(`${name} fill ${fill.tradeId} fee`, own.fee, fill.commission);
      if (own.feeAsset !== fill.commissionAsset && !decimalsEqual(own.fee, '0')) {
        differ(`${name} fill ${fill.tradeId} fee asset`, own.feeAsset, fill.commissionAsset);
      }
    }
    for (const tradeId of ourFills.keys()) differ(`${name} fill ${tradeId}`, 'a fill', 'no such fill');
  }
  for (const [clientOrderId, { status }] of ourOrders)
    differ(`order ${clientOrderId}`, status, 'no such order');

  const forgettable = missing.filter(({ status }) => finished.has(status));
  const fillsMissing = forgettable.reduce((sum, { fills }) => sum + fills.length, 0);
  const isForgotten =
    BigInt(forgettable.length) === core.forgottenOrders && BigInt(fillsMissing) === core.forgottenFills;
  if (!isForgotten && (core.forgottenOrders > 0n || core.forgottenFills > 0n)) {
    differ('forgotten orders', core.forgottenOrders, forgettable.length);
    differ('their fills', core.forgottenFills, fillsMissing);
  }
  for (const order of isForgotten ? missing.filter(({ status }) => !finished.has(status)) : missing)
    differ(nameOf(order), 'no such order', order.status);

  return {
    equal: differences.length === 0,
    ordersCompared: venue.orders.length - (isForgotten ? forgettable.length : 0),
    fillsCompared,
    balancesCompared: assets.size,
    differences: differences.slice(0, shownDifferences),
  };
}

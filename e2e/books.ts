// Reads the exchange's own books of an account the way an auditor would: by client order id, fill by fill, exactly.

import type { VenueAccount, VenueOrder } from '../operator/src/cli/up/audit.ts';
import { toScaled } from '../operator/src/cli/up/decimal.ts';

export const ms = (unixNs: string): number => Number(BigInt(unixNs) / 1_000n) / 1_000;
export const isOpen = ({ status }: VenueOrder): boolean => status === 'NEW' || status === 'PARTIALLY_FILLED';
/** Orders of one instance share what precedes the first dash of their client ids. */
export const ownerOf = ({ clientOrderId }: VenueOrder): string => clientOrderId.split('-')[0] ?? '';

/** Amounts per asset, in 1e-18. */
export type Amounts = Map<string, bigint>;

const unit = 10n ** 18n;

export function add(to: Amounts, asset: string, amount: bigint): void {
  to.set(asset, (to.get(asset) ?? 0n) + amount);
}

/** Free and locked of every asset. */
export function balancesOf({ balances }: VenueAccount): Amounts {
  const sums: Amounts = new Map();
  for (const { asset, free, locked } of balances) add(sums, asset, toScaled(free) + toScaled(locked));
  return sums;
}

/** What the fills of these orders changed, in the order in which they happened; `seen` hears of the sums so far. */
export function changesOf(
  orders: readonly VenueOrder[],
  quote: string,
  seen: (sums: Amounts) => void = () => {},
): Amounts {
  const fills = orders
    .flatMap((order) =>
      order.fills.map((fill) => ({ order, fill: fill as typeof fill & { timeUnixNs: string } })),
    )
    .sort((a, b) => (BigInt(a.fill.timeUnixNs) < BigInt(b.fill.timeUnixNs) ? -1 : 1));
  const sums: Amounts = new Map();
  for (const { order, fill } of fills) {
    const side = order.side === 'BUY' ? 1n : -1n;
    const base = order.symbol.slice(0, -quote.length);
    add(sums, base, side * toScaled(fill.qty));
    add(sums, quote, (-side * toScaled(fill.qty) * toScaled(fill.price)) / unit);
    add(sums, fill.commissionAsset, -toScaled(fill.commission));
    seen(sums);
  }
  return sums;
}

/** Value of what the orders left behind in a pair, in its quote asset, at the price of the last of them. */
export function leftIn(orders: readonly VenueOrder[], symbol: string): number {
  const of = orders.filter((order) => order.symbol === symbol);
  const quantity = of.reduce(
    (sum, { side, executedQty }) => sum + (side === 'BUY' ? 1 : -1) * Number(executedQty),
    0,
  );
  return Math.abs(quantity) * Number(of.at(-1)?.price ?? 0);
}

// What must hold after everything that happened, judged by the exchange's own books and by the journal.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import type { VenueOrder } from '../../operator/src/cli/up/audit.ts';
import type { LocalRun } from '../local-run.ts';
import { checkout } from '../shared.ts';
import { msOf } from './parts.ts';

export interface Limits {
  readonly maxOrderNotional: number;
  readonly maxPositionNotional: number;
  readonly maxOpenOrders: number;
}

/** An order with the times of its fills, which the comparison of ledgers does not need. */
export type JudgedOrder = Omit<VenueOrder, 'fills'> & {
  readonly fills: readonly (VenueOrder['fills'][number] & { readonly timeUnixNs: string })[];
};

/** Sums of decimals in doubles: a millionth is no breach. */
const tolerance = 1 + 1e-6;

/** What became of an order by a moment: it counts as open until the exchange closed it. */
function remainingAt(order: JudgedOrder, time: number): number {
  if (order.closedUnixNs !== null && msOf(order.closedUnixNs) <= time) return 0;
  return Number(order.origQty) - filledAt(order, time);
}

function filledAt(order: JudgedOrder, time: number): number {
  return order.fills
    .filter(({ timeUnixNs }) => msOf(timeUnixNs) <= time)
    .reduce((sum, { qty }) => sum + Number(qty), 0);
}

/**
 * Every acceptance of one instance's orders since `from` against its limits: value, worst position of its side, open
 * orders.
 */
export function limitsPassed(orders: readonly JudgedOrder[], limits: Limits, from = 0): string[] {
  const complaints: string[] = [];
  const inOrder = orders.toSorted((a, b) => msOf(a.acceptedUnixNs) - msOf(b.acceptedUnixNs));
  // What is over for good is summed up once: the sweep stays short.
  let active: JudgedOrder[] = [];
  const settled = new Map<string, number>();
  const signed = ({ side }: JudgedOrder) => (side === 'BUY' ? 1 : -1);
  for (const order of inOrder) {
    const now = msOf(order.acceptedUnixNs);
    const over = active.filter(({ closedUnixNs }) => closedUnixNs !== null && msOf(closedUnixNs) <= now);
    for (const past of over) {
      const sum = (settled.get(past.symbol) ?? 0) + signed(past) * Number(past.executedQty);
      settled.set(past.symbol, sum);
    }
    active = [...active.filter((other) => !over.includes(other)), order];
    if (now < from) continue;

    const same = active.filter(({ symbol }) => symbol === order.symbol);
    const position =
      (settled.get(order.symbol) ?? 0) +
      same.reduce((sum, other) => sum + signed(other) * filledAt(other, now), 0);
    const ahead = same
      .filter(({ side }) => side === order.side)
      .reduce((sum, other) => sum + remainingAt(other, now), 0);
    // A fill of the order itself at the moment of its acceptance is in the position already.
    const worst = Number(order.price) * (signed(order) * position + ahead);
    const value = Number(order.price) * Number(order.origQty);
    const open = active.filter((other) => remainingAt(other, now) > 0).length;
    const name = `order ${order.clientOrderId}`;
    if (value > limits.maxOrderNotional * tolerance)
      complaints.push(`${name}: value ${value}, limit ${limits.maxOrderNotional}`);
    if (worst > limits.maxPositionNotional * tolerance)
      complaints.push(`${name}: worst position ${worst}, limit ${limits.maxPositionNotional}`);
    if (open > limits.maxOpenOrders)
      complaints.push(`${name}: ${open} orders open, limit ${limits.maxOpenOrders}`);
  }
  return complaints;
}

/** Client order ids that the exchange holds more than once. */
export function duplicates(orders: readonly VenueOrder[]): string[] {
  const seen = new Set<string>();
  return orders.flatMap(({ clientOrderId }) => {
    if (!seen.has(clientOrderId)) {
      seen.add(clientOrderId);
      return [];
    }
    return [`${clientOrderId} is there twice`];
  });
}

/** What `flashpod-core replay --verify` says against the journals of a run that has ended; empty when nothing. */
export function replayComplaints(run: LocalRun): string[] {
  const binaries = process.env['FLASHPOD_BIN_DIR'] ?? join(checkout, 'core-engine/target/release');
  const journals = globSync(join(run.folder, 'n/host/var/lib/flashpod/*/*/journal'));
  if (journals.length === 0) return [`no journal below ${run.folder}`];
  return journals.flatMap((journal) => {
    const args = ['replay', '--journal', journal, '--verify'];
    const { status, stdout, stderr } = spawnSync(join(binaries, 'flashpod-core'), args, { encoding: 'utf8' });
    return status === 0 ? [] : [`${journal}: replay --verify ended with ${status}: ${stdout}${stderr}`];
  });
}

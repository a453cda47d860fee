// One run of strikes from its start to its verdict.
import { resourceOf } from '../../operator/src/cli/kinds.ts';
import { LocalRun } from '../local-run.ts';
import { duplicates, type JudgedOrder, type Limits, limitsPassed, replayComplaints } from './invariants.ts';
import { maker, namespace, prefixOf } from './parts.ts';
import { carryOut, planOf, type Recovery, tradingBegins } from './strikes.ts';

/** Near enough to what the maker wants that it meets them all the time. */
const tight: Limits = { maxOrderNotional: 250, maxPositionNotional: 800, maxOpenOrders: 4 };
const inForceWithinMs = 1_000;
const endWithinMs = 90_000;

export interface Verdict {
  readonly recoveries: readonly Recovery[];
  /** Empty when every invariant held. */
  readonly complaints: readonly string[];
  readonly orders: number;
  readonly fills: number;
}

async function tighten(run: LocalRun): Promise<number> {
  const { maxOrderNotional, maxPositionNotional, maxOpenOrders } = tight;
  const risk = {
    maxOrderNotional: String(maxOrderNotional),
    maxPositionNotional: String(maxPositionNotional),
    maxOpenOrders,
  };
  const strategies = run.client.of(resourceOf('TradingStrategy'));
  await strategies.mergePatch({ namespace, name: maker }, { spec: { risk } } as never);
  return Date.now() + inForceWithinMs;
}

/** Ends a run in order and holds what is left against the invariants. */
export async function judge(
  run: LocalRun,
  prefix: string,
  tightFrom: number,
): Promise<Omit<Verdict, 'recoveries'>> {
  const { orders } = await run.audit();
  const own = (orders as JudgedOrder[]).filter(({ clientOrderId }) => clientOrderId.startsWith(prefix));
  const complaints = [...duplicates(orders), ...limitsPassed(own, tight, tightFrom)];
  run.kill('SIGINT');
  const { report, output } = await run.report(endWithinMs);
  if (!report.ledgerEqualsVenue) complaints.push('the ledger differs from the books of the exchange', output);
  complaints.push(...report.differences, ...replayComplaints(run));
  return { complaints, orders: report.ordersCompared, fills: report.fillsCompared };
}

export async function strikes(
  kills: number,
  stops: number,
  seed: number,
  say: (line: string) => void,
): Promise<Verdict> {
  const run = await LocalRun.start(['--seed', String(seed), '--restart-backoff', '1s']);
  try {
    await tradingBegins(run);
    const tightFrom = await tighten(run);
    const prefix = await prefixOf(run, maker);
    const recoveries = await carryOut(run, planOf(kills, stops, seed), say);
    return { recoveries, ...(await judge(run, prefix, tightFrom)) };
  } finally {
    run.kill('SIGKILL');
  }
}

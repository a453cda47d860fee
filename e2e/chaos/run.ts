// One run from its start to its verdict.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StrategyInstance } from '@flashpod/crds';
import { resourceOf } from '../../operator/src/cli/kinds.ts';
import { LocalRun } from '../local-run.ts';
import { until } from '../shared.ts';
import { faultsOf } from './faults.ts';
import { duplicates, type JudgedOrder, type Limits, limitsPassed, replayComplaints } from './invariants.ts';
import { maker, msOf, namespace, prefixOf } from './parts.ts';
import { carryOut, planOf, type Recovery, tradingBegins } from './strikes.ts';

/** Quotes of 200 USDC fit, and a few fills of one side later no further one does. */
const tight: Limits = { maxOrderNotional: 250, maxPositionNotional: 500, maxOpenOrders: 4 };
const metWithinMs = 60_000;
const endWithinMs = 90_000;
/** After the last fault: unknown orders are asked about, books synchronised, an address ban runs out. */
const settleMs = 15_000;
const lookEveryMs = 30_000;

/** An exchange that refuses an order sent twice would hide that it was. */
const takingDuplicates = ['--venue-set', 'duplicateClientId=accept'];

const pause = (time: number) => new Promise((resolve) => setTimeout(resolve, time));

export interface Verdict {
  /** Empty when every invariant held. */
  readonly complaints: readonly string[];
  readonly orders: number;
  readonly fills: number;
}

/** Gives the time from which on the limits are known to be in force: the core has refused what is above them. */
async function tighten(run: LocalRun): Promise<number> {
  const { maxOrderNotional, maxPositionNotional, maxOpenOrders } = tight;
  const risk = {
    maxOrderNotional: String(maxOrderNotional),
    maxPositionNotional: String(maxPositionNotional),
    maxOpenOrders,
  };
  const strategies = run.client.of(resourceOf('TradingStrategy'));
  await strategies.mergePatch({ namespace, name: maker }, { spec: { risk } } as never);
  await until(`${maker} to be refused what its limits forbid`, metWithinMs, async () => {
    const { items } = await run.client.of(resourceOf('StrategyInstance')).list({ namespace });
    return (items as StrategyInstance[]).some(
      ({ spec, status }) =>
        spec.strategyRef.name === maker && status?.lastReject?.startsWith('RISK_MAX_POSITION'),
    );
  });
  return Date.now();
}

/** Ends a run in order and holds what is left against the invariants. */
async function judge(run: LocalRun, prefix: string, tightFrom: number): Promise<Verdict> {
  const { orders } = await run.audit();
  const own = (orders as JudgedOrder[]).filter(({ clientOrderId }) => clientOrderId.startsWith(prefix));
  const complaints = [...duplicates(orders), ...limitsPassed(own, tight, tightFrom)];
  if (!own.some(({ acceptedUnixNs }) => msOf(acceptedUnixNs) > tightFrom))
    complaints.push(`no order of ${maker} was accepted under its tight limits`);
  run.kill('SIGINT');
  const { report, output } = await run.report(endWithinMs);
  if (!report.ledgerEqualsVenue) complaints.push('the ledger differs from the books of the exchange', output);
  complaints.push(...report.differences, ...replayComplaints(run));
  return { complaints, orders: report.ordersCompared, fills: report.fillsCompared };
}

/** Kills and stops, one after the other. */
export async function strikes(
  kills: number,
  stops: number,
  seed: number,
  say: (line: string) => void,
): Promise<Verdict & { readonly recoveries: readonly Recovery[] }> {
  const run = await LocalRun.start(['--seed', String(seed), '--restart-backoff', '1s', ...takingDuplicates]);
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

/** Faults between core and exchange for `lastsMs`, so many times as frequent as usual, and a moment without. */
export async function faults(
  lastsMs: number,
  seed: number,
  say: (line: string) => void,
  times = 1,
): Promise<Verdict & { readonly met: Readonly<Record<string, number>> }> {
  const folder = mkdtempSync(join(tmpdir(), 'flashpod-chaos-'));
  const file = join(folder, 'faults.json');
  writeFileSync(file, JSON.stringify({ faults: faultsOf(lastsMs, seed, times) }));
  const run = await LocalRun.start(['--seed', String(seed), '--venue-faults', file, ...takingDuplicates]);
  const endsAt = Date.now() + lastsMs;
  try {
    const prefix = await prefixOf(run, maker);
    const tightFrom = await tighten(run);
    while (Date.now() < endsAt) {
      await pause(Math.min(lookEveryMs, endsAt - Date.now()));
      const { orders } = await run.audit();
      say(`${Math.round((endsAt - Date.now()) / 1_000)} s of faults left, ${orders.length} orders so far`);
    }
    await pause(settleMs);
    const quiet = (await run.audit()).orders.filter(({ acceptedUnixNs }) => msOf(acceptedUnixNs) > endsAt);
    const met = await run.faultsMet();
    say(`faults met: ${JSON.stringify(met)}; ${quiet.length} orders since they ended`);
    const { complaints, ...verdict } = await judge(run, prefix, tightFrom);
    const stuck =
      quiet.length === 0 ? [`no order was accepted in the ${settleMs / 1_000} s after the faults`] : [];
    return { complaints: [...complaints, ...stuck], met, ...verdict };
  } finally {
    run.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

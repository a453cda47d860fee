import type { AssetAmount, ExecutionCore, HopStatus, MarkOut } from '@flashpod/crds';
import type { LedgerComparison, VenueAccount, VenueAudit } from './audit.js';
import { type Control, controlLines } from './comparison.js';
import type { StrategyFigures } from './figures.js';

/** What a run leaves behind as JSON. Money is decimal text in quote units; times say their unit. */
export interface Report {
  /** Why the run ended badly; absent when it ended as it should. */
  readonly failure?: string;
  /** True only when both comparisons, before and after the final cancels, were made and found no difference. */
  readonly ledgerEqualsVenue: boolean;
  readonly ordersCompared: number;
  readonly fillsCompared: number;
  readonly differences: readonly string[];
  /** Least share of time certified after the first sync, over all books, 0..1. */
  readonly certifiedShare: number;
  readonly gaps: number;
  /** Null when the venue could not be asked at the end. */
  readonly http429: number | null;
  readonly http418: number | null;
  /** From the command to the first order the venue accepted. */
  readonly firstAcceptedOrderMs: number | null;
  /** How long it ran, without what was installed and built before. */
  readonly seconds: number;
  readonly market: {
    readonly source: 'synthetic' | 'replay' | 'exchange';
    readonly seed: number;
    readonly speed: string;
  };
  readonly strategies: readonly {
    readonly name: string;
    readonly symbol: string;
    /** Fills of Paper and Shadow are estimated by the core, those of Live are the venue's. */
    readonly mode: string;
    readonly acceptedOrders: number;
    readonly fills: number;
    readonly rejects: number;
    readonly realisedPnl: string;
    readonly unrealisedPnl: string;
    readonly fees: string;
    /** Fees in a third asset, e.g. MX; `comparison` values them where a price is known. */
    readonly otherFees: readonly AssetAmount[];
    /** Where the market was 1 s, 5 s and 30 s after fills, from their side: positive is good. */
    readonly markOuts: readonly MarkOut[];
  }[];
  /** Trading against holding and doing nothing, per strategy and in all. */
  readonly comparison: Control;
  /**
   * Percentiles per hop of an order's path. Waiting for the rate budget is the hop `budgetWait`, waiting for the end
   * of own quotes in the way `replaceWait`; neither is part of `tickToOrder`.
   */
  readonly hops: Readonly<Record<string, Omit<HopStatus, 'hop'>>>;
}

function firstAcceptedOrderMs(account: VenueAccount | undefined, startedAt: number): number | null {
  const times = (account?.orders ?? []).map(({ acceptedUnixNs }) =>
    Number(BigInt(acceptedUnixNs) / 1_000_000n),
  );
  return times.length === 0 ? null : Math.min(...times) - startedAt;
}

/** `TICK_TO_ORDER` as `tickToOrder`. */
function camelCase(name: string): string {
  return name.toLowerCase().replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** Puts a report together. `comparisons` holds one entry per moment at which the ledgers were compared. */
export function buildReport(run: {
  failure: string | undefined;
  comparisons: readonly LedgerComparison[];
  audit: VenueAudit | undefined;
  account: VenueAccount | undefined;
  cores: readonly ExecutionCore[];
  strategies: readonly StrategyFigures[];
  comparison: Control;
  startedAt: number;
  ranMs: number;
  market: Report['market'];
}): Report {
  const books = run.cores.flatMap((core) => core.status?.books ?? []);
  const hops = run.cores.flatMap((core) => core.status?.hops ?? []);
  const last = run.comparisons.at(-1);
  return {
    ...(run.failure === undefined ? {} : { failure: run.failure }),
    ledgerEqualsVenue:
      run.failure === undefined && run.comparisons.length > 0 && run.comparisons.every(({ equal }) => equal),
    ordersCompared: last?.ordersCompared ?? 0,
    fillsCompared: last?.fillsCompared ?? 0,
    differences: run.comparisons.flatMap(({ differences }) => differences),
    certifiedShare:
      books.length === 0 ? 0 : Math.min(...books.map((book) => Number(book.certifiedShare ?? 0))),
    gaps: books.reduce((sum, book) => sum + (book.gaps ?? 0), 0),
    http429: run.audit?.counters.http429 ?? null,
    http418: run.audit?.counters.http418 ?? null,
    firstAcceptedOrderMs: firstAcceptedOrderMs(run.account, run.startedAt),
    seconds: run.ranMs / 1_000,
    market: run.market,
    strategies: run.strategies.map(
      ({
        name,
        symbol,
        mode,
        acceptedOrders,
        fills,
        rejects,
        realisedPnl,
        unrealisedPnl,
        fees,
        otherFees,
        markOuts,
      }) => ({
        name,
        symbol,
        mode,
        acceptedOrders,
        fills,
        rejects,
        realisedPnl,
        unrealisedPnl,
        fees,
        otherFees,
        markOuts,
      }),
    ),
    comparison: run.comparison,
    hops: Object.fromEntries(hops.map(({ hop, ...figures }) => [camelCase(hop), figures])),
  };
}

function verdict({ failure, ledgerEqualsVenue, differences }: Report): string {
  if (ledgerEqualsVenue) return 'equals';
  // What was not compared to the end may be equal or not.
  return failure !== undefined && differences.length === 0 ? 'NOT COMPARED with' : 'DIFFERS FROM';
}

function markOutText(markOuts: readonly MarkOut[]): string {
  const told = markOuts.flatMap(({ afterMs, bps }) =>
    bps === undefined ? [] : `${afterMs / 1_000} s ${bps.toFixed(2)}`,
  );
  return told.length === 0 ? '' : `, mark-outs ${told.join(', ')} bps`;
}

/** The report in a few lines for the terminal. */
export function summary(report: Report): string[] {
  const strategies = report.strategies.map(
    ({
      name,
      symbol,
      mode,
      acceptedOrders,
      fills,
      rejects,
      realisedPnl,
      unrealisedPnl,
      fees,
      otherFees,
      markOuts,
    }) =>
      `  ${name} ${symbol}${mode === 'Live' ? '' : ` (${mode})`}: ${acceptedOrders} orders accepted, ${fills} fills, ${rejects} rejects, ` +
      `realised ${realisedPnl}, unrealised ${unrealisedPnl}, fees ${fees}` +
      otherFees.map(({ asset, amount }) => ` and ${amount} ${asset}`).join('') +
      markOutText(markOuts),
  );
  const { p50Us, p99Us, count } = report.hops['tickToOrder'] ?? {};
  return [
    '',
    `ran ${report.seconds.toFixed(0)} s on a ${report.market.source} market`,
    ...strategies,
    ...controlLines(report.comparison),
    `  books certified ${(report.certifiedShare * 100).toFixed(2)} % of the time after first sync, gaps ${report.gaps}, 429s ${report.http429 ?? 'unknown'}`,
    ...(count
      ? [`  tick to order p50 ${p50Us?.toFixed(0)} µs, p99 ${p99Us?.toFixed(0)} µs (${count} orders)`]
      : []),
    `  ledger ${verdict(report)} the venue's books: ${report.ordersCompared} orders, ${report.fillsCompared} fills compared`,
    ...report.differences.map((difference) => `    ${difference}`),
  ];
}

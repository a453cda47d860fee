import type { AssetAmount, ExecutionCore, MarkOut, StrategyInstance, TradingAccount } from '@flashpod/crds';

/** One row per strategy and symbol. */
export interface StrategyFigures {
  readonly name: string;
  readonly symbol: string;
  /** Of the account: Simulated or Production. */
  readonly environment: string;
  readonly mode: string;
  readonly state: string;
  readonly position: string;
  readonly openOrders: number;
  readonly realisedPnl: string;
  readonly unrealisedPnl: string;
  readonly fees: string;
  readonly acceptedOrders: number;
  readonly fills: number;
  readonly rejects: number;
  /** Fees in a third asset, no part of `fees`. */
  readonly otherFees: readonly AssetAmount[];
  /** How the market went on after fills. */
  readonly markOuts: readonly MarkOut[];
  readonly tickToOrderP50Us: number | undefined;
  readonly tickToOrderP99Us: number | undefined;
  readonly book: string;
}

/** Joins instances, books and accounts into rows, in the order of their names. */
export function strategyFigures(
  instances: readonly StrategyInstance[],
  cores: readonly ExecutionCore[],
  accounts: readonly TradingAccount[],
): StrategyFigures[] {
  const books = new Map(cores.flatMap((core) => core.status?.books ?? []).map((book) => [book.symbol, book]));
  const environments = new Map(accounts.map(({ metadata, spec }) => [metadata.name, spec.environment]));
  return instances
    .flatMap(({ spec, status }) =>
      spec.symbols.map((symbol): StrategyFigures => {
        const position = status?.positions?.find((candidate) => candidate.symbol === symbol);
        const figures = status?.figures?.find((candidate) => candidate.symbol === symbol);
        return {
          name: spec.strategyRef.name,
          symbol,
          environment: environments.get(spec.accountRef.name) ?? 'unknown',
          mode: spec.mode,
          state: status?.state ?? 'Pending',
          position: position?.quantity ?? '0',
          openOrders: position?.openOrders ?? 0,
          realisedPnl: position?.realisedPnl ?? '0',
          unrealisedPnl: position?.unrealisedPnl ?? '0',
          fees: position?.fees ?? '0',
          acceptedOrders: figures?.acceptedOrders ?? 0,
          fills: figures?.fills ?? 0,
          rejects: figures?.rejects ?? 0,
          otherFees: figures?.otherFees ?? [],
          markOuts: figures?.markOuts ?? [],
          tickToOrderP50Us: status?.tickToOrder?.p50Us,
          tickToOrderP99Us: status?.tickToOrder?.p99Us,
          book: books.get(symbol)?.state ?? 'none',
        };
      }),
    )
    .sort((a, b) => a.name.localeCompare(b.name) || a.symbol.localeCompare(b.symbol));
}

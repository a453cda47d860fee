/** Parts of the objects' status that the table and the report show. */
export interface PositionStatus {
  symbol: string;
  quantity: string;
  realisedPnl: string;
  unrealisedPnl: string;
  fees: string;
  openOrders: number;
}

export interface InstanceObject {
  metadata: { name: string };
  spec: { strategyRef: { name: string }; strategy: string; mode: string; symbols: string[] };
  status?: {
    state?: string;
    reasons?: string[];
    positions?: PositionStatus[];
    figures?: { symbol: string; acceptedOrders: number; fills: number; rejects: number }[];
    tickToOrder?: { p50Us?: number; p99Us?: number };
  };
}

export interface BookStatus {
  symbol: string;
  state: string;
  gaps?: number;
  certifiedShare?: number | string;
}

export interface HopStatus {
  hop: string;
  count: number;
  p50Us: number;
  p90Us: number;
  p99Us: number;
  p999Us: number;
  maxUs: number;
}

export interface CoreObject {
  status?: { metricsAddress?: string; books?: BookStatus[]; hops?: HopStatus[] };
}

export interface AccountObject {
  spec: { environment: string };
  status?: { ledgerEqualsVenue?: boolean };
}

/** One row per strategy and symbol. */
export interface StrategyFigures {
  readonly name: string;
  readonly symbol: string;
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
  readonly tickToOrderP50Us: number | undefined;
  readonly tickToOrderP99Us: number | undefined;
  readonly book: string;
}

/** Joins instances and books into rows, in the order of their names. */
export function strategyFigures(instances: readonly InstanceObject[], cores: readonly CoreObject[]): StrategyFigures[] {
  const books = new Map(cores.flatMap((core) => core.status?.books ?? []).map((book) => [book.symbol, book]));
  return instances
    .flatMap(({ spec, status }) =>
      spec.symbols.map((symbol): StrategyFigures => {
        const position = status?.positions?.find((candidate) => candidate.symbol === symbol);
        const figures = status?.figures?.find((candidate) => candidate.symbol === symbol);
        return {
          name: spec.strategyRef.name,
          symbol,
          mode: spec.mode,
          state: status?.state ?? 'Starting',
          position: position?.quantity ?? '0',
          openOrders: position?.openOrders ?? 0,
          realisedPnl: position?.realisedPnl ?? '0',
          unrealisedPnl: position?.unrealisedPnl ?? '0',
          fees: position?.fees ?? '0',
          acceptedOrders: figures?.acceptedOrders ?? 0,
          fills: figures?.fills ?? 0,
          rejects: figures?.rejects ?? 0,
          tickToOrderP50Us: status?.tickToOrder?.p50Us,
          tickToOrderP99Us: status?.tickToOrder?.p99Us,
          book: books.get(symbol)?.state ?? 'none',
        };
      }),
    )
    .sort((a, b) => a.name.localeCompare(b.name) || a.symbol.localeCompare(b.symbol));
}

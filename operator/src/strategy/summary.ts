import type {
  PositionStatus,
  StrategyInstance,
  TradingStrategy,
  TradingStrategyStatusSummary,
} from '@flashpod/crds';
import { isZero, sum } from '../api/decimal.js';
import type { Policy } from './policy.js';

/** The figures of a strategy's newest instance, for its own status and its row in tables. */
export function summarise(
  { spec }: TradingStrategy,
  instance: StrategyInstance | undefined,
  policy: Policy | undefined,
): TradingStrategyStatusSummary {
  const status = instance?.status;
  const positions = status?.positions ?? [];
  const quoteAsset = commonQuote(
    positions,
    spec.capital.map(({ asset }) => asset),
  );
  const total = (figure: 'realisedPnl' | 'unrealisedPnl' | 'fees') =>
    sum(positions.map((position) => position[figure]));
  return {
    state: stateOf(spec.suspended, instance, policy),
    position: positions
      .map(({ symbol, quantity }) => `${symbol} ${quantity}`)
      .join(', ')
      .slice(0, 1024),
    // A sum over different quote assets would mean nothing.
    ...(quoteAsset === undefined
      ? {}
      : {
          quoteAsset,
          realisedPnl: total('realisedPnl'),
          unrealisedPnl: total('unrealisedPnl'),
          fees: total('fees'),
        }),
    openOrders: positions.reduce((count, { openOrders }) => count + openOrders, 0),
    acceptedOrders: status?.acceptedOrders ?? 0,
    fills: status?.fills ?? 0,
    rejects: (status?.venueRejects ?? 0) + (status?.riskRejects ?? 0),
    positions: [...positions],
  };
}

function stateOf(
  suspended: boolean,
  instance: StrategyInstance | undefined,
  policy: Policy | undefined,
): TradingStrategyStatusSummary['state'] {
  if (instance === undefined) return suspended ? 'Suspended' : 'Pending';
  if (policy?.state === 'Stop')
    return instance.status?.proof?.provenAt === undefined ? 'Stopping' : 'Stopped';
  return instance.status?.state ?? 'Pending';
}

/** The asset that every pair is quoted in. Pairs are named base then quote, and capital names the quote asset. */
export function commonQuote(
  positions: readonly PositionStatus[],
  assets: readonly string[],
): string | undefined {
  return assets
    .filter((asset) => positions.length > 0 && positions.every(({ symbol }) => symbol.endsWith(asset)))
    .sort((a, b) => b.length - a.length)[0];
}

export function isFlat(instance: StrategyInstance): boolean {
  const positions = instance.status?.positions ?? [];
  return positions.every(({ quantity, openOrders }) => openOrders === 0 && isZero(quantity));
}

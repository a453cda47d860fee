// Values of the core's messages as the API's schemas take them.

import type { AssetAmount, DeletionPolicy, LossReached, LossStatus, TradingState } from '@flashpod/crds';
import {
  LossRule,
  type LossStatus as ProtoLosses,
  DeletionPolicy as ProtoPolicy,
  TradingState as ProtoState,
} from '@flashpod/proto';
import { toScaled } from '../../api/decimal.js';

/** Decimal text as the schemas take it; undefined for what is none, which must not cost the rest of the status. */
export const decimal = (text: string): string | undefined =>
  toScaled(text) === undefined ? undefined : text;

/** Nanoseconds since 1970 as RFC 3339 with microseconds; undefined for 0, which means "not yet". */
export function time(unixNs: bigint): string | undefined {
  if (unixNs === 0n) return undefined;
  const micros = String((unixNs / 1_000n) % 1_000_000n).padStart(6, '0');
  return `${new Date(Number(unixNs / 1_000_000n)).toISOString().slice(0, 19)}.${micros}Z`;
}

/** Names as the schemas take them. The venue's own are shorter; one that is not must not cost the rest of the status. */
export const isAsset = (name: string): boolean => name !== '' && name.length <= 16;
export const isSymbol = (name: string): boolean => name !== '' && name.length <= 24;

export const text = (value: string, limit: number): string | undefined =>
  value === '' ? undefined : value.slice(0, limit);

export function amounts(list: readonly { asset: string; amount: string }[], limit: number): AssetAmount[] {
  return byKey(
    list.flatMap(({ asset, amount }) =>
      isAsset(asset) && decimal(amount) !== undefined ? [{ asset, amount }] : [],
    ),
    ({ asset }) => asset,
    limit,
  );
}

/** What loss limits look at; undefined when they watch nothing. */
export function losses(seen: readonly ProtoLosses[]): LossStatus[] | undefined {
  const rules = { [LossRule.DAILY_LOSS]: 'DailyLoss', [LossRule.DRAWDOWN]: 'Drawdown' } as const;
  const all = byKey(
    seen.filter(({ quoteAsset }) => isAsset(quoteAsset)),
    ({ quoteAsset }) => quoteAsset,
    16,
  ).map(({ quoteAsset, dayLoss, drawdown, reached, reset, resetUnixNs }) => {
    const rule = rules[reached?.rule as keyof typeof rules];
    return defined<LossStatus>({
      quoteAsset,
      dayLoss: decimal(dayLoss),
      drawdown: decimal(drawdown),
      reached:
        reached === undefined || rule === undefined
          ? undefined
          : defined<LossReached>({
              rule,
              lost: decimal(reached.lost) ?? '0',
              limit: decimal(reached.limit) ?? '0',
              at: time(reached.atUnixNs),
            }),
      reset: text(reset, 64),
      resetAt: time(resetUnixNs),
    });
  });
  return all.length === 0 ? undefined : all;
}

/** List maps refuse a key twice, and every list is bounded. */
export function byKey<T>(list: readonly T[], key: (item: T) => string, limit: number): T[] {
  const items = new Map<string, T>();
  for (const item of list) if (!items.has(key(item))) items.set(key(item), item);
  return [...items.values()].slice(0, limit);
}

/** The object without fields that are undefined: exactOptionalPropertyTypes, and clean JSON. */
export function defined<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

export function tradingState(state: ProtoState): TradingState {
  switch (state) {
    case ProtoState.ACTIVE:
      return 'Active';
    case ProtoState.REDUCE_ONLY:
      return 'ReduceOnly';
    case ProtoState.HALTED:
      return 'Halted';
    default:
      return 'Pending';
  }
}

export function deletionPolicy(policy: ProtoPolicy): DeletionPolicy {
  switch (policy) {
    case ProtoPolicy.CANCEL_ONLY:
      return 'CancelOnly';
    case ProtoPolicy.ORPHAN:
      return 'Orphan';
    default:
      return 'Flatten';
  }
}

/** JSON has no NaN; a figure of nothing is 0. */
export const round = (micros: number): number =>
  Number.isFinite(micros) ? Math.round(micros * 1_000) / 1_000 : 0;

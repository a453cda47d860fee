// The positive control: what trading was worth, held against holding the same coins and against doing nothing.

import type { AssetAmount, ExecutionCore, StrategyInstance } from '@flashpod/crds';
import { commonQuote } from '../../strategy/summary.js';
import { fromScaled, sumDecimals, toScaled } from './decimal.js';

/** Mid prices by pair, as decimal text. */
export type Prices = ReadonlyMap<string, string>;

/**
 * One strategy, in its quote asset. Positions count from the coins that the strategy was given, so what it is worth
 * at the end is what its coins are worth then, plus what trading brought: total = holding + trading.
 */
export interface Comparison {
  readonly name: string;
  readonly quoteAsset: string;
  /** Value of the capital at the start, at the mid prices of then. */
  readonly capital: string;
  /**
   * Realised and unrealised, after all fees whose worth is known; fills came after the latency of core and exchange.
   */
  readonly trading: string;
  /** Change of the value of the same coins, left alone. Doing nothing, all in the quote asset, is 0. */
  readonly holding: string;
  /** Change of the value of what the strategy owns. */
  readonly total: string;
  /** Whether trading added to the coins: trading > 0. */
  readonly betterThanHolding: boolean;
  /** Whether more is there than at the start: total > 0. */
  readonly betterThanNothing: boolean;
  /** Fees in a third asset. Those with a value are in `trading`; those without, nobody could price. */
  readonly otherFees: readonly OtherFee[];
}

/** A fee in an asset that is none of the pair's, e.g. MX, and its value in the quote asset at the end. */
export interface OtherFee extends AssetAmount {
  readonly value: string | null;
}

export interface Control {
  readonly strategies: readonly Comparison[];
  /** All strategies together; null when their quote assets differ. */
  readonly all: Omit<Comparison, 'name'> | null;
  /** Strategies that cannot be compared, with the reason. */
  readonly notCompared: readonly string[];
}

const scale = 10n ** 18n;
const times = (a: bigint, b: bigint): bigint => (a * b) / scale;

/** The mids of all books that have two sides. */
export function midPrices(cores: readonly ExecutionCore[]): Map<string, string> {
  const books = cores.flatMap((core) => core.status?.books ?? []);
  return new Map(
    books.flatMap(({ symbol, bestBid, bestAsk }) =>
      bestBid && bestAsk ? [[symbol, fromScaled((toScaled(bestBid) + toScaled(bestAsk)) / 2n)] as const] : [],
    ),
  );
}

export function compare(instances: readonly StrategyInstance[], start: Prices, end: Prices): Control {
  const results = instances.map((instance) => compareOne(instance, start, end));
  const strategies = results.filter((result) => typeof result !== 'string');
  const quotes = new Set(strategies.map(({ quoteAsset }) => quoteAsset));
  const [quoteAsset] = quotes;
  return {
    strategies,
    all: quoteAsset !== undefined && quotes.size === 1 ? together(strategies, quoteAsset) : null,
    notCompared: results.filter((result) => typeof result === 'string'),
  };
}

function together(strategies: readonly Comparison[], quoteAsset: string): Omit<Comparison, 'name'> {
  const sum = (field: 'capital' | 'trading' | 'holding') => sumDecimals(strategies.map((one) => one[field]));
  const otherFees = addedUp(strategies.flatMap((one) => one.otherFees));
  return { ...verdict(quoteAsset, sum('capital'), sum('trading'), sum('holding')), otherFees };
}

/** One entry an asset; the value of a sum is known when that of each part is. */
function addedUp(fees: readonly OtherFee[]): OtherFee[] {
  return [...new Set(fees.map(({ asset }) => asset))].sort().map((asset) => {
    const parts = fees.filter((fee) => fee.asset === asset);
    const values = parts.flatMap(({ value }) => value ?? []);
    const value = values.length === parts.length ? sumDecimals(values) : null;
    return { asset, amount: sumDecimals(parts.map(({ amount }) => amount)), value };
  });
}

/** Fees that an instance paid in third assets, at the prices of the end. */
export function otherFeesOf(
  { status }: StrategyInstance,
  quoteAsset: string | undefined,
  prices: Prices,
): OtherFee[] {
  const fees = (status?.figures ?? []).flatMap(({ otherFees = [] }) => otherFees);
  return addedUp(
    fees.map(({ asset, amount }) => {
      const price = quoteAsset === undefined ? undefined : prices.get(asset + quoteAsset);
      return {
        asset,
        amount,
        value: price === undefined ? null : fromScaled(times(toScaled(amount), toScaled(price))),
      };
    }),
  );
}

/** Pairs whose prices say what fees in third assets are worth. */
export function feePairs(instances: readonly StrategyInstance[]): string[] {
  const pairs = instances.flatMap(({ spec, status }) => {
    const quoteAsset = quoteOf(spec);
    const fees = (status?.figures ?? []).flatMap(({ otherFees = [] }) => otherFees);
    return quoteAsset === undefined ? [] : fees.map(({ asset }) => asset + quoteAsset);
  });
  return [...new Set(pairs)].sort();
}

const quoteOf = (spec: StrategyInstance['spec']): string | undefined =>
  commonQuote(
    spec.symbols.map((symbol) => ({ symbol, quantity: '0', openOrders: 0 })),
    spec.capital.map(({ asset }) => asset),
  );

function verdict(
  quoteAsset: string,
  capital: string,
  trading: string,
  holding: string,
): Omit<Comparison, 'name' | 'otherFees'> {
  const total = toScaled(trading) + toScaled(holding);
  const betterThanHolding = toScaled(trading) > 0n;
  return {
    quoteAsset,
    capital,
    trading,
    holding,
    total: fromScaled(total),
    betterThanHolding,
    betterThanNothing: total > 0n,
  };
}

/** The comparison, or in words why there is none. */
function compareOne(instance: StrategyInstance, start: Prices, end: Prices): Comparison | string {
  const { spec, status } = instance;
  const { name } = spec.strategyRef;
  const quoteAsset = quoteOf(spec);
  if (quoteAsset === undefined) return `${name}: its pairs have no common quote asset in its capital`;
  let capital = 0n;
  let holding = 0n;
  for (const { asset, amount } of spec.capital) {
    if (asset === quoteAsset) {
      capital += toScaled(amount);
      continue;
    }
    const [before, after] = [start.get(asset + quoteAsset), end.get(asset + quoteAsset)];
    if (before === undefined || after === undefined)
      return `${name}: no price of ${asset} in ${quoteAsset} is known at start and end`;
    capital += times(toScaled(amount), toScaled(before));
    holding += times(toScaled(amount), toScaled(after) - toScaled(before));
  }
  const traded = (status?.positions ?? []).reduce(
    (sum, { realisedPnl = '0', unrealisedPnl = '0', fees = '0' }) =>
      sum + toScaled(realisedPnl) + toScaled(unrealisedPnl) - toScaled(fees),
    0n,
  );
  const otherFees = otherFeesOf(instance, quoteAsset, end);
  const paid = otherFees.reduce((sum, { value }) => sum + toScaled(value ?? '0'), 0n);
  const figures = verdict(quoteAsset, fromScaled(capital), fromScaled(traded - paid), fromScaled(holding));
  return { name, ...figures, otherFees };
}

const unpriced = (fees: readonly OtherFee[]): string =>
  fees
    .filter(({ value }) => value === null)
    .map(({ asset, amount }) => `; without ${amount} ${asset} of fees, whose price is not known`)
    .join('');

/** The comparison in a few lines for the terminal. */
export function controlLines({ strategies, all, notCompared }: Control): string[] {
  const money = (text: string) => `${Number(text) >= 0 ? '+' : '−'}${Math.abs(Number(text)).toFixed(2)}`;
  const line = (
    name: string,
    { quoteAsset, capital, trading, holding, total, otherFees }: Omit<Comparison, 'name'>,
  ) =>
    `  ${name}: trading ${money(trading)} after fees; holding its coins ${money(holding)}, doing nothing 0; ` +
    `in all ${money(total)} ${quoteAsset} on ${Number(capital).toFixed(0)}${unpriced(otherFees)}`;
  return [
    ...strategies.map((one) => line(one.name, one)),
    ...(all !== null && strategies.length > 1 ? [line('all', all)] : []),
    ...notCompared.map((reason) => `  not compared: ${reason}`),
  ];
}

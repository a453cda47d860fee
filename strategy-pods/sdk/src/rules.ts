// Rules by which the core itself quotes: what a strategy may ask for, checked before it leaves.

import type { SymbolName } from './brand.js';
import { fixedFromNumber, formatFixed, parseAmount } from './decimal.js';
import { StrategyError } from './errors.js';
import type { RuleParameterOutput } from './outputs.js';

/**
 * `touch`: one quote a side at the touch. Both are moved by
 * mid × (imbalanceSkewBps × imbalance − inventorySkewBps × position ÷ maxInventoryNotional) ÷ 10,000, never nearer to
 * the other side than the touch; imbalance is −1 (all asks) to 1 (all bids).
 */
export interface TouchRule {
  readonly rule: 'touch';
  /** Value of each quote, in quote; at least the pair's minimum notional. */
  readonly orderNotional: string;
  /** Largest |position| that quotes may build, in quote: the side that would pass it is pulled. */
  readonly maxInventoryNotional: string;
  /** 0 to 100. Default 0. */
  readonly imbalanceSkewBps?: number;
  /** Levels a side that count as imbalance, 1 to 10. Default 5. */
  readonly imbalanceLevels?: number;
  /** The side that an imbalance beyond this speaks against is pulled; above 0, at most 1. Default 1: never. */
  readonly pullImbalance?: number;
  /** 0 to 100. Default 0. */
  readonly inventorySkewBps?: number;
  /** A resting quote is kept while its price is within this many ticks of the wanted one. Default 0. */
  readonly toleranceTicks?: number;
}

export type CoreRule = TouchRule;

/** What the core made of a rule; without `refused` it is in force. */
export interface RuleAnswer {
  readonly symbol: SymbolName;
  readonly rule: string;
  readonly refused: { readonly field: string; readonly value: string; readonly accepted: string } | undefined;
}

interface Range {
  readonly least: number;
  readonly most: number;
  readonly whole?: boolean;
}

const bps: Range = { least: 0, most: 100 };
const numbers = {
  imbalanceSkewBps: bps,
  imbalanceLevels: { least: 1, most: 10, whole: true },
  pullImbalance: { least: 1e-6, most: 1 },
  inventorySkewBps: bps,
  toleranceTicks: { least: 0, most: 1_000_000, whole: true },
} satisfies Record<string, Range>;

/** The parameters as they travel; refuses what the core would refuse of any pair. */
export function ruleParameters(symbol: SymbolName, rule: CoreRule): RuleParameterOutput[] {
  const parameters: RuleParameterOutput[] = [];
  for (const name of ['orderNotional', 'maxInventoryNotional'] as const) {
    const value = rule[name];
    if (parseAmount(value) <= 0n) throw refused(symbol, name, value, 'a decimal number above 0');
    parameters.push({ name, value });
  }
  for (const [name, range] of Object.entries(numbers) as [keyof typeof numbers, Range][]) {
    const value = rule[name];
    if (value === undefined) continue;
    const { least, most, whole = false } = range;
    // Not the other way round: what is no number is no less than anything either.
    if (!(value >= least && value <= most) || (whole && !Number.isInteger(value)))
      throw refused(symbol, name, value, `a ${whole ? 'whole ' : ''}number from ${least} to ${most}`);
    parameters.push({ name, value: decimalOf(name, value) });
  }
  return parameters;
}

/** Shares travel in millionths, the rest in the precision of prices. */
function decimalOf(name: string, value: number): string {
  return formatFixed(fixedFromNumber(name === 'pullImbalance' ? Math.round(value * 1e6) / 1e6 : value));
}

function refused(symbol: SymbolName, name: string, value: unknown, accepted: string): StrategyError {
  return new StrategyError('BAD_RULE', `${symbol}: ${name} ${value} is not ${accepted}`);
}

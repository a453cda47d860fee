// Turns what a strategy asks for into stamped outputs, refusing what could not be sent.

import type { OrderRef, SymbolName } from './brand.js';
import { parseFixed } from './decimal.js';
import { StrategyError } from './errors.js';
import type { Side } from './events.js';
import type { Instrument } from './instrument.js';
import type { Output, QuoteOutput } from './outputs.js';
import { type CoreRule, ruleParameters } from './rules.js';
import type { Clock, IntentRequest, QuoteOptions, QuoteSide } from './strategy.js';
import type { World } from './world.js';

interface Mark {
  readonly length: number;
  readonly rules: ReadonlyMap<SymbolName, CoreRule>;
}

export class Acts {
  readonly #world: World;
  readonly #clock: Clock;
  readonly #refPrefix: string;
  // Symbols for which the core may hold quotes: an empty set is sent once, not with every book.
  readonly #quoted = new Set<SymbolName>();
  // What the core quotes by itself; it forgets that with each session.
  #rules: ReadonlyMap<SymbolName, CoreRule> = new Map();
  // Rules were pulled with the quotes, because a callback threw.
  #rulesPulled = false;
  #outputs: Output[] = [];
  /** Arrival of the market data whose callback runs; 0n in every other callback. */
  causeMonoNs = 0n;
  #nextRef = 1;

  constructor(world: World, clock: Clock, refPrefix: string) {
    this.#world = world;
    this.#clock = clock;
    this.#refPrefix = refPrefix;
  }

  /** Hands over everything wanted since the last time. */
  drain(): Output[] {
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }

  /** Where things stand before a callback. */
  mark(): Mark {
    return { length: this.#outputs.length, rules: this.#rules };
  }

  /** Forgets what was wanted since: a callback that throws acts not at all. */
  rewind({ length, rules }: Mark): void {
    this.#outputs.length = length;
    this.#rules = rules;
  }

  /** After a new session the core may still hold quotes of the former one. */
  forgetQuotes(): void {
    for (const symbol of this.#world.symbols) this.#quoted.add(symbol);
  }

  setRule(symbol: SymbolName, rule?: CoreRule): void {
    this.#world.instrument(symbol);
    if (rule === undefined) {
      if (this.#forgetRule(symbol)) this.#outputs.push({ kind: 'rule', symbol, rule: '', parameters: [] });
      return;
    }
    const parameters = ruleParameters(symbol, rule);
    this.#rules = new Map([...this.#rules, [symbol, rule]]);
    this.#outputs.push({ kind: 'rule', symbol, rule: rule.rule, parameters });
  }

  rule(symbol: SymbolName): CoreRule | undefined {
    return this.#rules.get(symbol);
  }

  /** Says all rules again: in a new session, or after they were pulled. */
  restoreRules(): void {
    this.#rulesPulled = false;
    for (const [symbol, rule] of this.#rules) this.setRule(symbol, rule);
  }

  /** After a callback that did not throw. */
  restorePulledRules(): void {
    if (this.#rulesPulled) this.restoreRules();
  }

  quote(symbol: SymbolName, bid?: QuoteSide, ask?: QuoteSide, options: QuoteOptions = {}): void {
    const instrument = this.#world.instrument(symbol);
    if (bid && ask && parseFixed(bid.price) >= parseFixed(ask.price)) {
      throw new StrategyError('BAD_QUOTE', `${symbol}: bid ${bid.price} is not below ask ${ask.price}`);
    }
    const toleranceTicks = ticksOf(symbol, options.tolerance ?? 0);
    const quotes = [...quoteSide(instrument, 0, 'Buy', bid), ...quoteSide(instrument, 1, 'Sell', ask)];
    const ruled = this.#forgetRule(symbol);
    if (quotes.length === 0 && !this.#quoted.delete(symbol) && !ruled) return;
    if (quotes.length > 0) this.#quoted.add(symbol);
    this.#outputs.push({ kind: 'quotes', symbol, quotes, toleranceTicks, ...this.#stamp(symbol) });
  }

  pullQuotes(): void {
    const rules = this.#rules;
    for (const symbol of this.#world.symbols) {
      this.#quoted.add(symbol);
      this.quote(symbol);
    }
    this.#rules = rules;
    this.#rulesPulled = rules.size > 0;
  }

  send(request: IntentRequest): OrderRef {
    const { symbol, side, type, price, quantity, reduceOnly = false } = request;
    const instrument = this.#world.instrument(symbol);
    if ((type === 'Market') !== (price === undefined)) {
      const wanted = type === 'Market' ? 'takes no price' : 'needs a price';
      throw new StrategyError('BAD_INTENT', `${symbol}: an order of type ${type} ${wanted}`);
    }
    if (price !== undefined) requireGrid(symbol, 'price', price, instrument.tick);
    requireGrid(symbol, 'quantity', quantity, instrument.lot);
    const ref = `${this.#refPrefix}-${this.#nextRef++}` as OrderRef;
    const stamp = this.#stamp(symbol);
    this.#outputs.push({ kind: 'intent', ref, symbol, side, type, price, quantity, reduceOnly, ...stamp });
    return ref;
  }

  cancel(ref: OrderRef): void {
    this.#outputs.push({ kind: 'cancel', ref, symbol: undefined });
  }

  cancelAll(symbol?: SymbolName): void {
    if (symbol !== undefined) this.#world.instrument(symbol);
    for (const one of symbol === undefined ? this.#world.symbols : [symbol]) this.#forgetRule(one);
    this.#outputs.push({ kind: 'cancel', ref: undefined, symbol });
  }

  #forgetRule(symbol: SymbolName): boolean {
    if (!this.#rules.has(symbol)) return false;
    this.#rules = new Map([...this.#rules].filter(([one]) => one !== symbol));
    return true;
  }

  #stamp(symbol: SymbolName): { bookVersion: bigint; causeMonoNs: bigint; decidedMonoNs: bigint } {
    const bookVersion = this.#world.book(symbol)?.version ?? 0n;
    return { bookVersion, causeMonoNs: this.causeMonoNs, decidedMonoNs: this.#clock.monoNs() };
  }
}

function quoteSide(instrument: Instrument, slot: number, side: Side, quote?: QuoteSide): QuoteOutput[] {
  if (quote === undefined) return [];
  requireGrid(instrument.symbol, 'price', quote.price, instrument.tick);
  requireGrid(instrument.symbol, 'quantity', quote.quantity, instrument.lot);
  return [{ slot, side, price: quote.price, quantity: quote.quantity }];
}

function requireGrid(symbol: SymbolName, what: string, text: string, step: bigint): void {
  const units = parseFixed(text);
  if (units <= 0n || units % step !== 0n) {
    throw new StrategyError('OFF_GRID', `${symbol}: ${what} ${text} is not a positive multiple of the grid`);
  }
}

/** It travels as an unsigned number of 32 bits. */
const mostTicks = 0xffff_ffff;

/** Whole ticks; what is no number (a model that divided by 0) must not leave, nor stop what encodes it. */
function ticksOf(symbol: SymbolName, tolerance: number): number {
  if (Number.isNaN(tolerance) || tolerance > mostTicks)
    throw new StrategyError(
      'BAD_QUOTE',
      `${symbol}: a tolerance of ${tolerance} ticks is not a number up to ${mostTicks}`,
    );
  return Math.max(0, Math.trunc(tolerance));
}

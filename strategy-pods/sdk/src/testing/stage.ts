// One strategy on a stage: events in, what it wants out, in time that only the test moves.

import type { BookView } from '../book.js';
import type { DecimalText, SymbolName } from '../brand.js';
import { formatFixed, parseFixed } from '../decimal.js';
import type { Position, Side, TradeBatch, TradingState } from '../events.js';
import type { IntentOutput, Output } from '../outputs.js';
import type { StrategySession } from '../session.js';
import type { StrategyDefinition } from '../strategy.js';
import type { VirtualClock } from './clock.js';
import type { StrategyFailure } from './failure.js';
import type { StageOptions } from './options.js';
import type { OrderReport, TestOrder, WantedPair } from './orders.js';
import { Player } from './player.js';
import { type Levels, sketchBook, sketchTrades } from './sketch.js';
import type { EventSource, MarketEvent } from './source.js';
import type { LogWitness, MetricsWitness } from './witness.js';

export interface RunFigures {
  readonly events: number;
  /** Between the first and the last event. */
  readonly seconds: number;
}

const noQuotes: WantedPair = { bid: undefined, ask: undefined, toleranceTicks: 0 };

/** Each input returns what the strategy wanted because of it, in order. Time moves by `advance`, `feed` and `run`. */
export class Stage<P, M> {
  readonly #player: Player<P, M>;

  constructor(definition: StrategyDefinition<P, M>, options: StageOptions = {}) {
    this.#player = new Player(definition, options);
  }

  /** A book of a pair, as levels `[price, quantity]` best first, or as the view itself. */
  book(view: BookView): Output[];
  book(symbol: string, bids: Levels, asks: Levels, rest?: Partial<BookView>): Output[];
  book(of: BookView | string, bids: Levels = [], asks: Levels = [], rest: Partial<BookView> = {}): Output[] {
    const receivedMonoNs = this.clock.monoNs();
    const book = typeof of === 'string' ? sketchBook(of, bids, asks, { receivedMonoNs, ...rest }) : of;
    return this.feed({ kind: 'book', atMs: this.clock.ms, book });
  }

  /** A trade of others; `side` is that of the aggressor. */
  trade(symbol: string, side: Side, price: number, quantity: number): Output[] {
    return this.trades(sketchTrades(symbol, { price, quantity, side }));
  }

  trades(trades: TradeBatch): Output[] {
    return this.feed({ kind: 'trades', atMs: this.clock.ms, trades });
  }

  /** Lets what is due before the event happen, and hands it over. */
  feed(event: MarketEvent): Output[] {
    const { exchange, session } = this.#player;
    return this.#player.step(() => {
      this.clock.moveTo(event.atMs);
      if (event.kind === 'book') {
        exchange?.handleBook(event.book);
        const what = () => `book ${event.book.symbol} version ${event.book.version}`;
        this.#player.give(what, () => session.handleBook(event.book));
      } else {
        exchange?.handleTrades(event.trades);
        const what = () => `${event.trades.trades.length} trades of ${event.trades.symbol}`;
        this.#player.give(what, () => session.handleTrades(event.trades));
      }
    });
  }

  /** Lets time pass; `onTimer` runs when its time has come. */
  advance(ms: number): Output[] {
    return this.#player.step(() => this.clock.moveTo(this.clock.ms + ms));
  }

  /** Plays a source to its end; `react` hears of every event that the strategy answered. */
  async run(
    source: EventSource,
    react?: (outputs: readonly Output[], event: MarketEvent) => void,
  ): Promise<RunFigures> {
    let events = 0;
    let firstMs = 0;
    for await (const batch of source.batches()) {
      for (const event of batch) {
        if (events === 0) {
          firstMs = event.atMs;
          // A recording lies years after the start of the stage: no time passes on the way to it.
          this.clock.jumpTo(firstMs);
        }
        events += 1;
        const outputs = this.feed(event);
        if (react !== undefined && outputs.length > 0) react(outputs, event);
      }
    }
    return { events, seconds: events === 0 ? 0 : (this.clock.ms - firstMs) / 1_000 };
  }

  /** The core lets the strategy open risk, only reduce it, or neither. */
  state(state: TradingState): Output[] {
    return this.act(`state ${state}`, (session) => session.handleState(state));
  }

  /** The exchange took the order into its book. */
  accept(order: TestOrder): Output[] {
    return this.report({ order, kind: 'Accepted' });
  }

  /** A fill, by default of all that is left, at the price of the order. */
  fill(order: TestOrder, fill: { quantity?: string; price?: string; maker?: boolean } = {}): Output[] {
    const left = this.#player.accounts.remaining(order);
    const quantity = (fill.quantity ?? formatFixed(left)) as DecimalText;
    if (parseFixed(quantity) > left)
      throw new Error(
        `a fill of ${quantity} is more than the ${formatFixed(left)} that is left of the order`,
      );
    const price = (fill.price ?? order.price) as DecimalText | undefined;
    if (price === undefined) throw new Error('a market order has no price: say at which price it was filled');
    const maker = fill.maker ?? order.type === 'LimitMaker';
    const kind = parseFixed(quantity) === left ? 'Filled' : 'PartiallyFilled';
    return this.report({ order, kind, fill: { quantity, price, maker } });
  }

  /** The core or the exchange refused the order. */
  reject(order: TestOrder, code = 'TEST', text = ''): Output[] {
    return this.report({ order, kind: 'Rejected', code, text });
  }

  /** The order has ended with what was filled so far. */
  cancelled(order: TestOrder): Output[] {
    return this.report({ order, kind: 'Cancelled' });
  }

  report(report: OrderReport): Output[] {
    return this.#player.step(() => this.#player.deliver(report));
  }

  /** onStop, then every quote is pulled. */
  stop(): Output[] {
    return this.act('stop', (session) => session.stop());
  }

  /** Anything else as one event, e.g. `stage.act('lost', (session) => session.handleDisconnect())`. */
  act(what: string, run: (session: StrategySession<P, M>) => void): Output[] {
    const { session } = this.#player;
    return this.#player.step(() =>
      this.#player.give(
        () => what,
        () => run(session),
      ),
    );
  }

  /** The quotes wanted now. */
  wanted(symbol: string): WantedPair {
    return this.#player.wanted.get(symbol as SymbolName) ?? noQuotes;
  }

  /** The rule by which the core quotes the pair now, its parameters as texts; undefined: none. */
  rule(symbol: string): Readonly<Record<string, string>> | undefined {
    const asked = this.#player.rules.get(symbol as SymbolName);
    if (asked === undefined) return undefined;
    const parameters = asked.parameters.map(({ name, value }) => [name, value]);
    return { rule: asked.rule, ...Object.fromEntries(parameters) };
  }

  position(symbol: string): Position {
    return this.#player.accounts.position(symbol as SymbolName);
  }

  /** Orders that rest at the simulated exchange. */
  get openOrders(): readonly TestOrder[] {
    return this.#player.exchange?.openOrders ?? [];
  }

  /** Every intent so far. */
  get intents(): readonly IntentOutput[] {
    return this.#player.intents;
  }

  /** Every exception of the strategy so far. */
  get failures(): readonly StrategyFailure[] {
    return this.#player.failures;
  }

  get clock(): VirtualClock {
    return this.#player.clock;
  }

  get session(): StrategySession<P, M> {
    return this.#player.session;
  }

  get log(): LogWitness {
    return this.#player.log;
  }

  get metrics(): MetricsWitness {
    return this.#player.metrics;
  }
}

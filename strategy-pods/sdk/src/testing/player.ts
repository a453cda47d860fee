// Plays events to a strategy's session, and what it wants to the exchange, until neither has more to say.

import type { SymbolName } from '../brand.js';
import type { OrderEvent } from '../events.js';
import type { IntentOutput, Output, RuleOutput } from '../outputs.js';
import { parseParameters } from '../parameters.js';
import { StrategySession } from '../session.js';
import type { StrategyDefinition } from '../strategy.js';
import { TestAccounts } from './accounts.js';
import { VirtualClock } from './clock.js';
import { TestExchange } from './exchange.js';
import { StrategyFailure } from './failure.js';
import type { StageOptions } from './options.js';
import { snapshotOf } from './options.js';
import { type OrderReport, pairOf, type WantedPair } from './orders.js';
import { LogWitness, MetricsWitness } from './witness.js';

/** Order events that one event may cause before it counts as an endless loop of strategy and exchange. */
const mostAnswers = 10_000;

export class Player<P, M> {
  readonly clock = new VirtualClock();
  readonly log = new LogWitness(() => this.clock.ms);
  readonly metrics = new MetricsWitness();
  readonly session: StrategySession<P, M>;
  readonly accounts: TestAccounts;
  readonly exchange: TestExchange | undefined;
  readonly intents: IntentOutput[] = [];
  readonly failures: StrategyFailure[] = [];
  readonly wanted = new Map<SymbolName, WantedPair>();
  readonly rules = new Map<SymbolName, RuleOutput>();
  readonly #definition: StrategyDefinition<P, M>;
  readonly #options: StageOptions;
  #events: OrderEvent[] = [];
  #outputs: Output[] = [];
  #index = 0;
  #what = (): string => 'nothing';

  constructor(definition: StrategyDefinition<P, M>, options: StageOptions) {
    this.#definition = definition;
    this.#options = options;
    const snapshot = snapshotOf(options);
    this.accounts = new TestAccounts(snapshot);
    if (options.fills === 'simulated') {
      const take = (report: OrderReport) => this.#events.push(this.accounts.eventOf(report, this.clock.ms));
      this.exchange = new TestExchange(snapshot.instruments, this.accounts, take);
    }
    this.session = new StrategySession({
      definition,
      parameters: parseParameters(definition, JSON.stringify(options.parameters ?? {})),
      clock: this.clock,
      log: this.log,
      metrics: this.metrics,
      refPrefix: 't',
      onFailure: (callback, error) => this.#fail(callback, error),
    });
    // Its memory threw; nothing can be played to it.
    const [unfit] = this.failures;
    if (unfit !== undefined && options.failures !== 'collect') throw unfit;
    this.step(() =>
      this.give(
        () => 'start',
        () => this.session.handleWelcome(snapshot),
      ),
    );
    if (definition.timerMs !== undefined) this.#schedule(definition.timerMs);
  }

  /** One input from outside: gives all that was wanted because of it, or throws what the strategy threw. */
  step(run: () => void): Output[] {
    const failed = this.failures.length;
    this.#outputs = [];
    run();
    const [failure] = this.failures.slice(failed);
    if (failure !== undefined && this.#options.failures !== 'collect') throw failure;
    return this.#outputs;
  }

  /** Gives one event to the session and settles what follows from it. */
  give(what: () => string, run: () => void): void {
    this.#hand(what, run);
    for (let answers = 0; this.#events.length > 0; answers += 1) {
      if (answers === mostAnswers) {
        throw new Error(`${this.#definition.name} and the exchange answer each other without end`);
      }
      const event = this.#events.shift() as OrderEvent;
      this.#hand(
        () => `order ${event.kind} ${event.symbol} ${event.side}`,
        () => this.session.handleOrder(event),
      );
    }
  }

  /** Books what became of an order and tells the strategy. */
  deliver(report: OrderReport): void {
    const event = this.accounts.eventOf(report, this.clock.ms);
    this.give(
      () => `order ${event.kind} ${event.symbol} ${event.side}`,
      () => this.session.handleOrder(event),
    );
  }

  #hand(what: () => string, run: () => void): void {
    this.#index += 1;
    this.#what = what;
    run();
    for (const output of this.session.drain()) this.#note(output);
  }

  #note(output: Output): void {
    this.#outputs.push(output);
    if (output.kind === 'intent') this.intents.push(output);
    if (output.kind === 'quotes' || output.kind === 'rule') {
      this.wanted.delete(output.symbol);
      this.rules.delete(output.symbol);
    }
    if (output.kind === 'quotes') this.wanted.set(output.symbol, pairOf(output));
    if (output.kind === 'rule' && output.rule !== '') this.rules.set(output.symbol, output);
    const { exchange } = this;
    if (exchange === undefined) return;
    const { latencyMs = 0 } = this.#options;
    if (latencyMs === 0) exchange.handle(output);
    else
      this.clock.at(this.clock.ms + latencyMs, () =>
        this.give(
          () => `arrival of ${output.kind}`,
          () => exchange.handle(output),
        ),
      );
  }

  #schedule(timerMs: number): void {
    this.clock.at(this.clock.ms + timerMs, () => {
      this.give(
        () => 'timer',
        () => this.session.handleTimer(),
      );
      this.#schedule(timerMs);
    });
  }

  #fail(callback: string, error: unknown): void {
    const moment = { index: this.#index, atMs: this.clock.ms, what: this.#what() };
    this.failures.push(new StrategyFailure(this.#definition.name, callback, moment, error));
  }
}

// Runs one strategy: events and time in, wanted quotes, intents and cancels out. No I/O and no clock of its own.

import { Acts } from './acts.js';
import type { BookView } from './book.js';
import type { OrderEvent, Snapshot, TradeBatch, TradingState } from './events.js';
import { type CallbackName, FailureCount } from './failures.js';
import type { Output } from './outputs.js';
import type { RuleAnswer } from './rules.js';
import type { Clock, Context, Logger, Metrics, StrategyDefinition } from './strategy.js';
import { World } from './world.js';

export interface SessionOptions<P, M> {
  readonly definition: StrategyDefinition<P, M>;
  readonly parameters: P;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Makes the refs of this process differ from those of all others of the instance. */
  readonly refPrefix: string;
  /** Exceptions of one callback in a row after which the strategy trades no more. Default 5. */
  readonly maxFailures?: number;
  /** Hears of each exception of a callback, after it was logged. */
  readonly onFailure?: (callback: CallbackName, error: unknown) => void;
}

/**
 * Inputs are the `handle*` methods and `stop`; after each, `drain` gives what the strategy wants done.
 *
 * A callback that throws acts not at all: what it asked for is dropped and every quote is pulled. After
 * `maxFailures` in a row of the same callback, or one of `memory` or `onStart`, the session is faulted for good: all
 * orders are cancelled and no callback but onStop runs again. A fresh process is the way out.
 *
 * Callbacks are synchronous. Of one that returns a promise, what it asks for after its first `await` leaves with the
 * next event, and a rejection counts as its exception.
 */
export class StrategySession<P, M> {
  readonly #definition: StrategyDefinition<P, M>;
  readonly #world = new World();
  readonly #acts: Acts;
  readonly #context: Context<P, M>;
  readonly #failures: FailureCount;
  readonly #onFailure: SessionOptions<P, M>['onFailure'];
  /** False when there is no memory: then nothing can run, not even onStop. */
  readonly #hasMemory: boolean;
  #started = false;
  #stopped = false;
  #lastSequence = 0n;
  #holes = 0;

  constructor(options: SessionOptions<P, M>) {
    this.#definition = options.definition;
    this.#acts = new Acts(this.#world, options.clock, options.refPrefix);
    this.#failures = new FailureCount(options.maxFailures ?? 5);
    this.#onFailure = options.onFailure;
    const { memory, error } = remember(options);
    this.#hasMemory = error === undefined;
    this.#context = makeContext(options, memory, this.#world, this.#acts);
    if (error !== undefined) this.#fail('memory', error.thrown);
  }

  /** Sequence of the newest order event handled: where to resume. */
  get lastSequence(): bigint {
    return this.#lastSequence;
  }

  /** Order events that never came although later ones did. Anything but 0 is a fault of the core. */
  get sequenceHoles(): number {
    return this.#holes;
  }

  get failures(): number {
    return this.#failures.total;
  }

  get faulted(): boolean {
    return this.fault !== undefined;
  }

  /** Why the strategy trades no more; undefined while it may. */
  get fault(): string | undefined {
    return this.#failures.fault;
  }

  /** The beginning of a session, or of the next one after a reconnect. onStart runs with the first. */
  handleWelcome(snapshot: Snapshot): void {
    this.#world.restore(snapshot);
    this.#acts.forgetQuotes();
    if (this.#started) {
      this.#followRewind(snapshot.lastSequence);
      if (!this.faulted) this.#acts.restoreRules();
      return;
    }
    this.#started = true;
    // History before the first session is already in the snapshot.
    this.#lastSequence = snapshot.lastSequence;
    this.#run('onStart', () => {
      this.#declareRules();
      return this.#definition.onStart?.(this.#context);
    });
  }

  handleDisconnect(): void {
    this.#world.disconnect();
  }

  handleBook(book: BookView): void {
    this.#world.setBook(book);
    this.#answer(book.receivedMonoNs, 'onBook', () => this.#definition.onBook?.(this.#context, book));
  }

  handleTrades(batch: TradeBatch): void {
    this.#answer(batch.receivedMonoNs, 'onTrade', () => this.#definition.onTrade?.(this.#context, batch));
  }

  /** Returns false for an event that was handled before. Sequence 0 marks one made in this process. */
  handleOrder(event: OrderEvent): boolean {
    if (event.sequence !== 0n) {
      if (event.sequence <= this.#lastSequence) return false;
      if (this.#lastSequence !== 0n) this.#holes += Number(event.sequence - this.#lastSequence - 1n);
      this.#lastSequence = event.sequence;
      this.#world.apply(event);
    }
    this.#run('onOrder', () => this.#definition.onOrder?.(this.#context, event));
    return true;
  }

  /** What became of a rule. One that is refused is no reason to stop: what was in force before still is. */
  handleRule({ symbol, rule, refused }: RuleAnswer): void {
    if (refused === undefined) return;
    this.#context.log.error('the core refused a rule; what was in force before still is', {
      symbol,
      rule,
      ...refused,
    });
  }

  handleState(state: TradingState): void {
    this.#world.state = state;
  }

  /** Something that the strategy left running failed, outside of every callback: what state it left, nobody knows. */
  handleBackgroundFailure(error: unknown): void {
    if (!this.faulted) this.#fail('background', error);
  }

  handleTimer(): void {
    this.#run('onTimer', () => this.#definition.onTimer?.(this.#context));
  }

  /** The end: onStop, then every quote is pulled. Later inputs do nothing. */
  stop(): void {
    if (this.#stopped) return;
    this.#run('onStop', () => this.#definition.onStop?.(this.#context));
    this.#stopped = true;
    this.#acts.pullQuotes();
  }

  drain(): Output[] {
    return this.#acts.drain();
  }

  #declareRules(): void {
    const { rule } = this.#definition;
    if (rule === undefined) return;
    for (const symbol of this.#world.symbols) {
      const declared = rule(this.#context.parameters, symbol);
      if (declared !== undefined) this.#acts.setRule(symbol, declared);
    }
  }

  /** A core whose host crashed may have lost its newest events; it gives their numbers to others. */
  #followRewind(lastSequence: bigint): void {
    if (lastSequence >= this.#lastSequence) return;
    const fields = { handled: String(this.#lastSequence), core: String(lastSequence) };
    this.#context.log.warn('the core is behind in its order events; following it', fields);
    this.#lastSequence = lastSequence;
  }

  /** Runs a callback whose decisions answer market data that arrived then. */
  #answer(arrivedMonoNs: bigint, name: CallbackName, callback: () => unknown): void {
    this.#acts.causeMonoNs = arrivedMonoNs;
    this.#run(name, callback);
    this.#acts.causeMonoNs = 0n;
  }

  #run(name: CallbackName, callback: () => unknown): void {
    if (!this.#started || this.#stopped || !this.#hasMemory || (this.faulted && name !== 'onStop')) return;
    const before = this.#acts.mark();
    try {
      const result: unknown = callback();
      if (!isPromise(result)) this.#succeed(name);
      else
        result.then(
          () => this.#succeed(name),
          (error: unknown) => this.#fail(name, error),
        );
    } catch (error) {
      this.#acts.rewind(before);
      this.#fail(name, error);
    }
  }

  #succeed(name: CallbackName): void {
    this.#failures.succeeded(name);
    if (!this.faulted && !this.#stopped) this.#acts.restorePulledRules();
  }

  #fail(name: CallbackName, error: unknown): void {
    const inARow = this.#failures.failed(name, error);
    if (!this.#stopped) this.#acts.pullQuotes();
    if (this.faulted) this.#acts.cancelAll();
    this.#context.log.error(`${name} of ${this.#definition.name} threw; quotes are pulled`, {
      callback: name,
      inARow,
      faulted: this.faulted,
      err: error,
    });
    this.#onFailure?.(name, error);
  }
}

const isPromise = (result: unknown): result is Promise<unknown> =>
  typeof (result as Promise<unknown> | undefined)?.then === 'function';

/** The strategy's memory; the session is faulted from its beginning when it throws. */
function remember<P, M>({
  definition,
  parameters,
}: SessionOptions<P, M>): {
  memory: M;
  error?: { thrown: unknown };
} {
  try {
    return { memory: definition.memory(parameters) };
  } catch (thrown) {
    return { memory: undefined as M, error: { thrown } };
  }
}

function makeContext<P, M>(
  options: SessionOptions<P, M>,
  memory: M,
  world: World,
  acts: Acts,
): Context<P, M> {
  const { parameters, clock, log, metrics } = options;
  return {
    parameters,
    memory,
    log,
    metrics,
    get symbols() {
      return world.symbols;
    },
    get mode() {
      return world.mode;
    },
    get state() {
      return world.state;
    },
    get balances() {
      return world.balances;
    },
    nowMs: () => Number(clock.monoNs()) / 1e6,
    instrument: (symbol) => world.instrument(symbol),
    book: (symbol) => world.book(symbol),
    position: (symbol) => world.position(symbol),
    quote: (symbol, bid, ask, quoteOptions) => acts.quote(symbol, bid, ask, quoteOptions),
    setRule: (symbol, rule) => acts.setRule(symbol, rule),
    rule: (symbol) => acts.rule(symbol),
    send: (intent) => acts.send(intent),
    cancel: (ref) => acts.cancel(ref),
    cancelAll: (symbol) => acts.cancelAll(symbol),
  };
}

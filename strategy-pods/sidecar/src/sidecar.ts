// Joins the stream to the strategy: messages in, decisions out, and the state in between for the probes.

import type { SessionDown, Welcome } from '@flashpod/proto';
import {
  type AnyStrategy,
  type BookView,
  type IntentOutput,
  type Logger,
  type OrderEvent,
  type Output,
  parseParameters,
  type RuleAnswer,
  StrategyError,
  StrategySession,
  sdkVersion,
  type TradeBatch,
  type TradingState,
} from '@flashpod/sdk';
import { CoreClock } from './clock.js';
import type { Readiness } from './http.js';
import { CoreLink, type LinkOptions } from './link.js';
import { SidecarMetrics } from './metrics.js';
import { Outbox } from './outbox.js';
import { refusal } from './refusal.js';
import {
  bookOf,
  failureUp,
  heartbeatUp,
  helloUp,
  orderEventOf,
  outputUp,
  ruleAnswerOf,
  snapshotOf,
  stateOf,
  tradesOf,
} from './wire.js';

export interface SidecarOptions {
  readonly strategy: AnyStrategy;
  readonly instance: string;
  readonly socket: string;
  readonly readToken: () => string;
  readonly log: Logger;
  /** The parameters of the manifest cannot run: the process must end. */
  readonly onFatal: (error: StrategyError) => void;
  readonly clock?: CoreClock;
  readonly refPrefix?: string;
  readonly link?: Pick<LinkOptions, 'firstRetryMs' | 'maxRetryMs' | 'silenceMs'>;
}

export type SidecarStatus = Readiness;

// biome-ignore lint/suspicious/noExplicitAny: parameters and memory are the strategy's own business
type Session = StrategySession<any, any>;

const heartbeatMs = 1_000;
/** A callback that takes so long keeps probes, heartbeats and every other event waiting. */
const heldMs = 1_000;

export class Sidecar {
  readonly metrics = new SidecarMetrics();
  readonly #options: SidecarOptions;
  readonly #clock: CoreClock;
  readonly #link: CoreLink;
  readonly #outbox = new Outbox();
  readonly #timers: NodeJS.Timeout[] = [];
  #session: Session | undefined;
  #parametersJson: string | undefined;
  #waiting = 'waiting for the core';
  /** The core was told in this session that the strategy failed. */
  #failureTold = false;
  #stopping = false;

  constructor(options: SidecarOptions) {
    this.#options = options;
    this.#clock = options.clock ?? new CoreClock();
    this.#link = new CoreLink({
      ...options.link,
      socket: options.socket,
      hello: () =>
        helloUp(options.instance, options.readToken(), this.#session?.lastSequence ?? 0n, sdkVersion),
      events: {
        message: (message) => this.#handle(message),
        down: (error) => this.#handleDown(error),
        writable: () => this.#writable(),
      },
    });
    this.metrics.watch('sidecar_connected', '1 while a session with the core is open', () =>
      Number(this.#link.connected),
    );
    this.metrics.watch('sidecar_ready', '1 while /readyz says so', () => Number(this.status().ready));
    this.metrics.watch(
      'sidecar_sequence_holes',
      'Order events that never came',
      () => this.#session?.sequenceHoles ?? 0,
    );
    this.metrics.watch(
      'sidecar_superseded_quotes',
      'Quote sets replaced unsent',
      () => this.#outbox.superseded,
    );
  }

  start(): void {
    this.#link.start();
    this.#every(heartbeatMs, () => this.#link.send(heartbeatUp(this.#clock.monoNs())));
    const { timerMs } = this.#options.strategy;
    if (timerMs !== undefined)
      this.#every(timerMs, () => this.#decide('timer', (session) => session.handleTimer()));
  }

  status(): SidecarStatus {
    if (this.#stopping) return { ready: false, reason: 'stopping' };
    const fault = this.#session?.fault;
    if (fault !== undefined)
      return { ready: false, reason: `the strategy failed and trades no more: ${fault}` };
    if (!this.#link.connected || this.#session === undefined) return { ready: false, reason: this.#waiting };
    return { ready: true, reason: 'trading session open' };
  }

  /** onStop, quotes pulled, everything written, session closed. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#session?.stop();
    this.#flush([...this.#outbox.take(), ...(this.#session?.drain() ?? [])]);
    await this.#link.close();
  }

  /** Something failed that no callback waits for. False when there is no strategy yet whose doing it could be. */
  handleBackgroundFailure(error: unknown): boolean {
    const session = this.#session;
    if (session === undefined) return false;
    session.handleBackgroundFailure(error);
    this.#settle(session);
    return true;
  }

  #every(ms: number, run: () => void): void {
    this.#timers.push(setInterval(run, ms));
  }

  #handle({ body }: SessionDown): void {
    switch (body.case) {
      case 'welcome':
        this.#handleWelcome(body.value);
        break;
      case 'book':
        this.#handleBook(bookOf(body.value));
        break;
      case 'trades':
        this.#handleTrades(tradesOf(body.value));
        break;
      case 'order':
        this.#handleOrder(orderEventOf(body.value));
        break;
      case 'state':
        this.#handleState(stateOf(body.value.state), body.value.reason);
        break;
      case 'rule':
        this.#handleRule(ruleAnswerOf(body.value));
        break;
      case 'heartbeat':
        this.#clock.observe(body.value.monoNs);
        break;
    }
  }

  #handleWelcome(welcome: Welcome): void {
    if (welcome.parametersJson !== this.#parametersJson) this.#begin(welcome.parametersJson);
    if (this.#session === undefined) return;
    const snapshot = snapshotOf(welcome);
    const { mode, state, instruments, lastSequence } = snapshot;
    this.#failureTold = false;
    const symbols = instruments.map((one) => one.symbol);
    this.#options.log.info('session open', { mode, state, symbols, lastSequence: String(lastSequence) });
    // What was to be cancelled while the core was away comes before anything new.
    this.#flush(this.#outbox.take());
    this.#decide('welcome', (session) => session.handleWelcome(snapshot));
  }

  #handleBook(book: BookView): void {
    this.#clock.observe(book.receivedMonoNs);
    this.metrics.books.inc({ symbol: book.symbol });
    if (book.conflated > 0) this.metrics.conflated.inc({ symbol: book.symbol }, book.conflated);
    this.#decide('book', (session) => session.handleBook(book));
  }

  #handleTrades(batch: TradeBatch): void {
    this.metrics.trades.inc({ symbol: batch.symbol }, batch.trades.length);
    if (batch.dropped > 0) this.metrics.tradesDropped.inc({ symbol: batch.symbol }, batch.dropped);
    this.#decide('trades', (session) => session.handleTrades(batch));
  }

  #handleRule(answer: RuleAnswer): void {
    const { symbol, rule } = answer;
    if (answer.refused === undefined) this.#options.log.info('rule in force', { symbol, rule });
    this.#decide('rule', (session) => session.handleRule(answer));
  }

  #handleState(state: TradingState, reason: string): void {
    this.#options.log.info('trading state', { state, reason });
    this.#decide('state', (session) => session.handleState(state));
  }

  /** A session of the strategy per set of parameters. */
  #begin(parametersJson: string): void {
    const { strategy, log, onFatal, refPrefix = Date.now().toString(36) } = this.#options;
    this.#decide('stop', (session) => session.stop());
    this.#session = undefined;
    try {
      const parameters = parseParameters(strategy, parametersJson);
      const { strategy: metrics } = this.metrics;
      this.#session = new StrategySession({
        definition: strategy,
        parameters,
        clock: this.#clock,
        log,
        metrics,
        refPrefix,
        onFailure: (callback) => {
          this.metrics.callbackFailures.inc({ callback });
          // A rejection comes outside of every event, and what follows from it must leave too.
          queueMicrotask(() => this.#session && this.#settle(this.#session));
        },
      });
      this.#parametersJson = parametersJson;
    } catch (error) {
      if (!(error instanceof StrategyError)) throw error;
      this.#waiting = error.message;
      onFatal(error);
    }
  }

  #handleOrder(event: OrderEvent): void {
    this.#decide('order', (session) => {
      if (session.handleOrder(event)) this.metrics.orders.inc({ kind: event.kind });
      else this.metrics.repeated.inc();
    });
  }

  #handleDown(error: StrategyError | Error): void {
    this.metrics.disconnects.inc();
    this.#outbox.forgetQuotes();
    this.#session?.handleDisconnect();
    if (this.#waiting !== error.message)
      this.#options.log.warn('no session with the core', { reason: error.message });
    this.#waiting = error.message;
  }

  #decide(event: string, run: (session: Session) => void): void {
    const session = this.#session;
    if (session === undefined) return;
    const begun = performance.now();
    run(session);
    this.#settle(session);
    const tookMs = performance.now() - begun;
    this.metrics.decision.observe({ event }, tookMs / 1e3);
    if (tookMs < heldMs) return;
    this.metrics.held.inc({ event });
    const fields = { event, tookMs: Math.round(tookMs) };
    this.#options.log.warn('a callback held the process; probes, heartbeats and events had to wait', fields);
  }

  /**
   * Sends what the strategy wants. Once it has failed, what becomes of its orders is not its own to say any more: the
   * core is told, and acts as the manifest's onSidecarLoss says.
   */
  #settle(session: Session): void {
    const outputs = session.drain();
    if (session.fault === undefined) this.#flush(outputs);
    else if (!this.#failureTold) this.#failureTold = this.#link.send(failureUp(session.fault));
  }

  #writable(): void {
    this.#flush(this.#outbox.take());
    if (this.#session !== undefined) this.#settle(this.#session);
  }

  #flush(outputs: readonly Output[]): void {
    for (const output of outputs) {
      if (this.#link.send(outputUp(output))) this.metrics.sent.inc({ kind: output.kind });
      else if (this.#link.connected) this.#refuse(this.#outbox.keep(output), 'CORE_STALLED');
      else if (output.kind === 'intent') this.#refuse(output, 'NOT_CONNECTED');
      else if (output.kind === 'cancel') this.#outbox.keep(output);
    }
  }

  /** Tells the strategy that its intent never left; later, so that an answer to it can't recurse. */
  #refuse(intent: IntentOutput | undefined, code: string): void {
    if (intent === undefined) return;
    this.metrics.refused.inc({ code });
    setImmediate(() => this.#handleOrder(refusal(intent, code)));
  }
}

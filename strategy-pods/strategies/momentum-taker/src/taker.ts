// Decisions for one pair: enter with a burst, leave at the stop or when time is up, then pause.

import {
  affordable,
  type BookView,
  bestAsk,
  bestBid,
  type Context,
  hasBothSides,
  imbalance,
  isFinal,
  isSellable,
  mid,
  type OrderEvent,
  type OrderRef,
  type QuantityText,
  quantityForNotional,
  roundPrice,
  roundQuantity,
  type Side,
  type SymbolName,
} from '@flashpod/sdk';
import { FlowMeter } from './flow.js';
import type { Parameters } from './parameters.js';
import { idle, type OpenTrade, type Phase } from './phase.js';

/** The pairs at work, made as they are first heard of. */
export type Takers = Map<SymbolName, Taker>;
type TakerContext = Context<Parameters, Takers>;

// An order nobody answers for is cancelled after this; the core settles what became of it.
const answerMs = 5_000;
// A refused or unfilled order is not repeated at once: the reason is likely still there.
const retryMs = 250;
const refusedMs = 1_000;

export class Taker {
  readonly #symbol: SymbolName;
  readonly flow: FlowMeter;
  #phase: Phase = idle;

  constructor(symbol: SymbolName, parameters: Parameters) {
    this.#symbol = symbol;
    this.flow = new FlowMeter(parameters.flowWindowMs, parameters.baselineMs);
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Looks at the market and the time; called for every book, trade and timer. */
  decide(context: TakerContext): void {
    const book = context.book(this.#symbol);
    if (book === undefined || !hasBothSides(book)) return;
    const now = context.nowMs();
    this.flow.pass(now);
    this.#settle(context, book, now);
    const phase = this.#phase;
    if (phase.kind === 'Idle') this.#enter(context, book, now);
    // In a halt nothing new leaves, exits neither: asking would only be refused, again and again.
    const mayExit = phase.kind === 'Holding' && now >= phase.retryAtMs && context.state !== 'Halted';
    if (mayExit && this.#over(context, book, phase.trade, now)) {
      this.#exit(context, book, phase.trade, now);
    }
    if ((phase.kind === 'Entering' || phase.kind === 'Exiting') && now - phase.sinceMs > answerMs) {
      context.cancel(phase.ref);
      this.#phase = { kind: 'Cooling', untilMs: now + refusedMs };
    }
  }

  onOrder(context: TakerContext, event: OrderEvent): void {
    const phase = this.#phase;
    if (phase.kind !== 'Entering' && phase.kind !== 'Exiting') return;
    if (event.ref !== phase.ref || !isFinal(event.kind)) return;
    const now = context.nowMs();
    const pause = event.kind === 'Rejected' ? refusedMs : context.parameters.coolDownMs;
    if (phase.kind === 'Exiting' && this.#exposed(context, phase.trade.entryPrice)) {
      const wait = event.kind === 'Rejected' ? refusedMs : retryMs;
      this.#phase = { kind: 'Holding', trade: phase.trade, retryAtMs: now + wait };
    } else {
      // After an entry, #settle turns a position into Holding with the next look.
      this.#phase =
        phase.kind === 'Entering' && event.kind === 'Filled'
          ? idle
          : { kind: 'Cooling', untilMs: now + pause };
    }
  }

  /** A position without a trade (an entry just filled, a restart, a late fill) becomes one; a pause ends. */
  #settle(context: TakerContext, book: BookView, now: number): void {
    if (this.#phase.kind !== 'Idle' && this.#phase.kind !== 'Cooling') return;
    const price = mid(book);
    if (this.#exposed(context, price)) {
      const entryPrice = Number(context.position(this.#symbol).averageCost) || price;
      this.#phase = { kind: 'Holding', trade: { entryPrice, sinceMs: now }, retryAtMs: now };
    } else if (this.#phase.kind === 'Cooling' && now >= this.#phase.untilMs) {
      this.#phase = idle;
    }
  }

  #exposed(context: TakerContext, price: number): boolean {
    const position = Number(context.position(this.#symbol).quantity);
    return isSellable(context.instrument(this.#symbol), Math.abs(position), price);
  }

  #enter(context: TakerContext, book: BookView, now: number): void {
    const { burst, minImbalance, imbalanceLevels, orderNotional } = context.parameters;
    const { score } = this.flow;
    if (context.state !== 'Active' || !book.certified || Math.abs(score) < burst) return;
    const side: Side = score > 0 ? 'Buy' : 'Sell';
    if (Math.sign(score) * imbalance(book, imbalanceLevels) < minImbalance) return;
    const instrument = context.instrument(this.#symbol);
    const quantity = quantityForNotional(instrument, orderNotional, mid(book));
    if (quantity === undefined || !affordable(context.balances, instrument, side, quantity, mid(book)))
      return;
    const ref = this.#take(context, book, side, quantity, false);
    context.metrics.count('bursts');
    this.#phase = { kind: 'Entering', ref, sinceMs: now };
  }

  #over(context: TakerContext, book: BookView, trade: OpenTrade, now: number): boolean {
    if (now - trade.sinceMs >= context.parameters.holdMs) return true;
    const direction = Math.sign(Number(context.position(this.#symbol).quantity));
    const moveBps = ((mid(book) - trade.entryPrice) / trade.entryPrice) * 10_000;
    return direction * moveBps <= -context.parameters.stopBps;
  }

  #exit(context: TakerContext, book: BookView, trade: OpenTrade, now: number): void {
    const position = Number(context.position(this.#symbol).quantity);
    const instrument = context.instrument(this.#symbol);
    if (!this.#exposed(context, mid(book))) {
      this.#phase = { kind: 'Cooling', untilMs: now + context.parameters.coolDownMs };
      return;
    }
    const quantity = roundQuantity(instrument, Math.abs(position));
    const ref = this.#take(context, book, position > 0 ? 'Sell' : 'Buy', quantity, true);
    this.#phase = { kind: 'Exiting', ref, sinceMs: now, trade };
  }

  #take(
    context: TakerContext,
    book: BookView,
    side: Side,
    quantity: QuantityText,
    reduceOnly: boolean,
  ): OrderRef {
    const through = context.parameters.collarBps / 10_000;
    const limit = side === 'Buy' ? bestAsk(book) * (1 + through) : bestBid(book) * (1 - through);
    // Rounded towards the touch: the collar is a bound.
    const price = roundPrice(context.instrument(this.#symbol), limit, side === 'Buy' ? 'down' : 'up');
    return context.send({ symbol: this.#symbol, side, type: 'Ioc', price, quantity, reduceOnly });
  }
}

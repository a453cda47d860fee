// A book that is fed with the venue's messages and knows whether it equals the venue's.

import { type BookCounters, binding, type FrameCounts, type CertifiedBook as NativeBook } from './binding.js';
import { type BookOptions, type LevelText, mostLevels, type Side, sides } from './book.js';
import type { Levels } from './check.js';
import * as check from './check.js';
import { call } from './errors.js';
import { BookWindow } from './window.js';

/** How updates number the versions they cover. */
export type ContinuityRule = 'mexc' | 'binance-spot' | 'binance-futures';
const rules = ['mexc', 'binance-spot', 'binance-futures'] as const;

/** What an update did. `lost`: the certificate is gone, a snapshot is needed. `other`: no depth frame. */
export type Step = 'applied' | 'duplicate' | 'buffered' | 'lost' | 'other';
// In the order of the numbers in `certified.rs`.
const steps: readonly Step[] = ['applied', 'duplicate', 'buffered', 'lost', 'other'];

export interface CertifiedBookOptions extends BookOptions {
  /** Default `mexc`. */
  readonly rule?: ContinuityRule;
  /** Refuses frames of another pair. */
  readonly symbol?: string;
  /** How many updates are kept while there is no snapshot. Default 1000. */
  readonly waitingLimit?: number;
}

/** Changed levels, covering the versions `first` to `last`; quantity 0 removes a level. */
export interface BookUpdate {
  readonly first: number;
  readonly last: number;
  /** End of the update before, where the venue names it (`pu`). */
  readonly prevLast?: number;
  /** When the venue made it, milliseconds since 1970. */
  readonly venueMs?: number;
  readonly bids: Levels;
  readonly asks: Levels;
}

/** A whole book as fetched. */
export interface BookSnapshot {
  readonly version: number;
  readonly bids: Levels;
  readonly asks: Levels;
  /** How many levels a side were asked for: a side that has as many may go on behind them. */
  readonly limit?: number;
}

/**
 * Joins snapshots and updates and proves that nothing is missing: duplicates are dropped, overlaps applied, a hole or a
 * crossed book loses the certificate until the next snapshot. Updates that come before it wait.
 */
export class CertifiedBook implements Disposable {
  readonly window: BookWindow;
  readonly #book: NativeBook;

  constructor(options: CertifiedBookOptions = {}) {
    const { levels = 20, rule = 'mexc', symbol, waitingLimit = 1_000 } = check.object('options', options);
    check.wholeNumber('levels', levels, 0, mostLevels);
    check.oneOf('rule', rule, rules);
    check.wholeNumber('waitingLimit', waitingLimit, 1, 1_000_000);
    if (symbol !== undefined) check.text('symbol', symbol);
    this.#book = call(() => new binding.CertifiedBook(rule, levels, waitingLimit, symbol));
    this.window = new BookWindow(this.#book.window(), levels);
  }

  /** Decodes one binary MEXC frame and applies it. Throws `BadFrameError`. */
  onFrame(frame: Uint8Array): Step {
    check.bytes('frame', frame);
    return stepOf(call(() => this.#book.onFrame(frame)));
  }

  /**
   * Many frames in one call: frame `i` lies in `bytes` from `ends[i - 1]` (0 for the first) to `ends[i]`. A bad frame
   * ends it with `BadFrameError`; those before it are applied. The window shows the last state.
   */
  onFrames(bytes: Uint8Array, ends: Uint32Array): FrameCounts {
    check.bytes('bytes', bytes);
    check.offsets('ends', ends);
    return call(() => this.#book.onFrames(bytes, ends));
  }

  onUpdate(update: BookUpdate): Step {
    const { first, last, prevLast, venueMs = 0, bids, asks } = check.object('update', update);
    check.wholeNumber('first', first, 0);
    check.wholeNumber('last', last, 0);
    check.wholeNumber('venueMs', venueMs, 0);
    if (prevLast !== undefined) check.wholeNumber('prevLast', prevLast, 0);
    const [b, a] = [check.levels('bids', bids), check.levels('asks', asks)];
    return stepOf(
      call(() =>
        this.#book.onUpdate(first, last, prevLast, venueMs, b.prices, b.quantities, a.prices, a.quantities),
      ),
    );
  }

  /** Takes a snapshot and replays what waited. Undefined when the book is certified now, else why it is not. */
  onSnapshot(snapshot: BookSnapshot): string | undefined {
    const { version, bids, asks, limit } = check.object('snapshot', snapshot);
    check.wholeNumber('version', version, 0);
    if (limit !== undefined) check.wholeNumber('limit', limit, 1, 0xffff_ffff);
    const [b, a] = [check.levels('bids', bids), check.levels('asks', asks)];
    const refusal = call(() =>
      this.#book.onSnapshot(version, b.prices, b.quantities, a.prices, a.quantities, limit),
    );
    return refusal ?? undefined;
  }

  /** The connection that brought the updates is gone: the certificate is lost. */
  disconnected(): void {
    call(() => this.#book.disconnected());
  }

  /** `syncing`, `certified`, or `lost: ` and why. */
  get state(): string {
    return call(() => this.#book.state());
  }

  get counters(): Readonly<BookCounters> {
    return call(() => this.#book.counters());
  }

  /** The best `count` levels as exact decimal texts, best first. */
  top(side: Side, count: number): LevelText[] {
    check.oneOf('side', side, sides);
    check.wholeNumber('count', count, 0, 0xffff_ffff);
    return call(() => this.#book.top(side, count));
  }

  /** Frees the levels now and not when the garbage collector comes by. */
  dispose(): void {
    this.#book.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

function stepOf(number: number): Step {
  return steps[number] as Step;
}

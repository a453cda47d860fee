// Where market events come from: a recording, a script, an addon. What plays them is in `stage.ts`.

import type { BookView } from '../book.js';
import type { TradeBatch } from '../events.js';
import type { Instrument } from '../instrument.js';

/** One event of the market at its time, in milliseconds since 1970 (fractions are kept). */
export type MarketEvent =
  | { readonly kind: 'book'; readonly atMs: number; readonly book: BookView }
  | { readonly kind: 'trades'; readonly atMs: number; readonly trades: TradeBatch };

/**
 * Events in order of time, in batches: whoever waits, waits once per batch and not per event.
 *
 * A source may use objects again: a trade holds until the next event is taken, a book until the one after the next of
 * its pair is, because timers and orders that are due before the next book still meet it. `receivedMonoNs` of books and trades is on the axis of `atMs` (1 ms = 1,000,000 ns).
 */
export interface EventSource {
  /** The pairs that events may be of, with their rules of trading. */
  readonly instruments: readonly Instrument[];
  batches(): AsyncIterable<Iterable<MarketEvent>> | Iterable<Iterable<MarketEvent>>;
}

/** Events that a test wrote down, as a source. */
export function scripted(instruments: readonly Instrument[], events: readonly MarketEvent[]): EventSource {
  return { instruments, batches: () => [events] };
}

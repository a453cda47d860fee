// touch-maker: the core quotes by its rule `touch`; this process watches the market and pauses it.

import {
  type BookView,
  type CoreRule,
  defineStrategy,
  hasBothSides,
  mid,
  type SymbolName,
} from '@flashpod/sdk';
import type { z } from 'zod';
import { parameters } from './parameters.js';

export type Parameters = z.infer<typeof parameters>;

/** What a pair did lately; times in milliseconds of the session clock. */
interface Watch {
  mid: number;
  sinceMs: number;
  pausedUntilMs: number;
}

function touch({ pauseAfterBps: _, pauseMs: __, ...rest }: Parameters): CoreRule {
  return { rule: 'touch', ...rest };
}

/** By how much the mid has moved since it was noted, in basis points; it is noted anew each second. */
function movedBps(watch: Watch, book: BookView, nowMs: number): number {
  const now = mid(book);
  const moved = (Math.abs(now - watch.mid) / watch.mid) * 10_000;
  if (nowMs - watch.sinceMs >= 1_000) Object.assign(watch, { mid: now, sinceMs: nowMs });
  return moved;
}

export default defineStrategy({
  name: 'touch-maker',
  version: '1.0.0',
  description: 'Lets the core quote the touch by a rule of its own, and pauses it while the market runs.',
  parameters,
  timerMs: 100,
  memory: () => new Map<SymbolName, Watch>(),

  rule: touch,

  onBook({ memory, parameters, ...context }, book) {
    if (!book.certified || !hasBothSides(book)) return;
    const nowMs = context.nowMs();
    const watch = memory.get(book.symbol);
    if (watch === undefined) {
      memory.set(book.symbol, { mid: mid(book), sinceMs: nowMs, pausedUntilMs: 0 });
      return;
    }
    if (movedBps(watch, book, nowMs) <= parameters.pauseAfterBps) return;
    watch.pausedUntilMs = nowMs + parameters.pauseMs;
    context.metrics.count('pauses');
    context.setRule(book.symbol);
  },

  onTimer({ memory, parameters, ...context }) {
    for (const [symbol, { pausedUntilMs }] of memory) {
      const paused = context.rule(symbol) === undefined;
      if (paused && context.nowMs() >= pausedUntilMs) context.setRule(symbol, touch(parameters));
    }
  },
});

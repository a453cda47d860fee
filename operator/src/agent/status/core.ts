import type { BookStatus, ExecutionCoreStatus, Halt, HaltReached, HopStatus } from '@flashpod/crds';
import type { CoreStatus, BookStatus as ProtoBook } from '@flashpod/proto';
import { reasons, conditions as types } from '../../api/reasons.js';
import { setCondition } from '../../kube/conditions.js';
import { byKey, defined, isSymbol, round, text, time } from './figures.js';

/** The agent's part of a core's status, put over what the operator wrote. `trouble`: why the core is out of touch. */
export function coreStatus(
  seen: CoreStatus | undefined,
  before: ExecutionCoreStatus | undefined,
  { trouble, generation, now }: { trouble: string | undefined; generation: number; now: Date },
): ExecutionCoreStatus {
  const conditions = setCondition(
    before?.conditions,
    {
      type: types.agentConnected,
      status: trouble === undefined ? 'True' : 'False',
      reason: trouble === undefined ? reasons.connected : reasons.disconnected,
      message: (trouble ?? 'the core reports').slice(0, 4_000),
      observedGeneration: generation,
    },
    now,
  );
  if (seen === undefined) return { ...before, conditions: [...conditions] };
  return defined<ExecutionCoreStatus>({
    ...before,
    conditions: [...conditions],
    metricsAddress: text(seen.metricsAddress, 256),
    version: text(seen.version, 64),
    books: books(seen),
    hops: byKey(seen.hops, ({ hop }) => hop, 32).map(
      ({ hop, count, p50Us, p90Us, p99Us, p999Us, maxUs }): HopStatus => ({
        hop: hop.slice(0, 64),
        count: Number(count),
        p50Us: round(p50Us),
        p90Us: round(p90Us),
        p99Us: round(p99Us),
        p999Us: round(p999Us),
        maxUs: round(maxUs),
      }),
    ),
  });
}

function books({ books: seen }: CoreStatus): BookStatus[] {
  // Two accounts may watch the same pair: the worse book is the one worth showing.
  const worstFirst = seen
    .filter(({ symbol }) => isSymbol(symbol))
    .sort((a, b) => a.certifiedShare - b.certifiedShare);
  return byKey(worstFirst, ({ symbol }) => symbol, 256)
    .sort((a, b) => (a.symbol < b.symbol ? -1 : 1))
    .map(bookStatus);
}

function bookStatus(book: ProtoBook): BookStatus {
  return defined<BookStatus>({
    symbol: book.symbol,
    state: book.state.slice(0, 32),
    version: Number(book.version),
    gaps: Number(book.gaps),
    certifiedShare: Math.min(1, Math.max(0, book.certifiedShare || 0)),
    frames: Number(book.frames),
    ageMs: Number(book.ageMs),
    bestBid: text(book.bestBid, 40),
    bestAsk: text(book.bestAsk, 40),
  });
}

/** A halt's status with our core's entry brought up to date; entries of other cores stay as they are. */
export function haltStatus(seen: CoreStatus, halt: Halt, core: string): Halt['status'] {
  const reached = seen.halts.find(({ uid }) => uid === halt.metadata.uid);
  if (reached === undefined) return halt.status;
  const entry = defined<HaltReached>({
    core,
    blockedAt: time(reached.blockedUnixNs),
    cancelsSentAt: time(reached.cancelsSentUnixNs),
    flat: reached.flat,
    instances: reached.instances,
  });
  const others = (halt.status?.reached ?? []).filter((other) => other.core !== core);
  const all = [...others, entry].sort((a, b) => (a.core < b.core ? -1 : 1));
  return { ...halt.status, reached: all.slice(0, 64) };
}

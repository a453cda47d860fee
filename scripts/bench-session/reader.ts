// The reader of `flashpod-bench --only session`: the sidecar's own stream and session, with a strategy that only looks
// at the clock. Prints what it saw as JSON when it is through.

import { parseArgs } from 'node:util';
import { defineStrategy } from '@flashpod/sdk';
import { CoreClock } from '@flashpod/sidecar';
import { z } from 'zod';
import { quietSidecar } from './quiet.ts';

const { values } = parseArgs({
  options: {
    socket: { type: 'string', default: '' },
    instance: { type: 'string', default: '' },
    token: { type: 'string', default: '' },
    /** books: one way only; all: under load and asleep as well. */
    parts: { type: 'string', default: 'books' },
    warm: { type: 'string', default: '0' },
    last: { type: 'string', default: '0' },
    events: { type: 'string', default: '0' },
    'sleep-ms': { type: 'string', default: '0' },
  },
});
const [warm, last, events, sleepMs] = [values.warm, values.last, values.events, values['sleep-ms']].map(
  Number,
) as [number, number, number, number];

const told = {
  latenciesNs: [] as number[],
  conflated: 0,
  updates: 0,
  updatesDropped: 0,
  updatesNs: 0,
  orderEvents: 0,
  sequenceHoles: 0,
  sleptConflated: 0,
  sleptDropped: 0,
};
const clock = new CoreClock();
/** 1: one way. 2: under load. 3: after the sleep. */
let part = 1;
let began = 0n;
let newest = 0n;
let expected = 1n;

function finish(): void {
  process.stdout.write(`${JSON.stringify(told)}\n`, () => void sidecar.stop().then(() => process.exit(0)));
}

/** A book of the other symbol says that a part is over. */
function mark(number: number): void {
  if (number === 1) {
    part = 2;
    began = 0n;
  } else if (number === 2) {
    told.updatesNs = Number(newest - began);
    part = 0;
  } else if (number === 3) {
    part = 3;
    // Asleep as a strategy that computes would be: nothing of this process runs.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, sleepMs);
  }
}

function update(count: number, dropped: number): void {
  newest = process.hrtime.bigint();
  if (began === 0n) began = newest;
  told.updates += count;
  told.updatesDropped += dropped;
}

const strategy = defineStrategy({
  name: 'reader',
  version: '1.0.0',
  description: 'Looks at the clock.',
  parameters: z.strictObject({}),
  memory: () => undefined,
  onBook(_, book) {
    const now = clock.monoNs();
    clock.observe(book.receivedMonoNs);
    if (book.symbol !== 'BTCUSDC') {
      mark(Number(book.version));
    } else if (part === 1) {
      if (book.version <= BigInt(warm)) return;
      told.latenciesNs.push(Math.max(0, Number(now - book.receivedMonoNs)));
      told.conflated += book.conflated;
      if (book.version === BigInt(last) && values.parts === 'books') finish();
    } else if (part === 2) {
      update(1, book.conflated);
    } else if (part === 3) {
      told.sleptConflated += book.conflated;
    }
  },
  onTrade(_, batch) {
    if (part === 2) update(batch.trades.length, batch.dropped);
    else if (part === 3) told.sleptDropped += batch.dropped;
  },
  onOrder(_, event) {
    told.orderEvents += 1;
    told.sequenceHoles += Number(event.sequence - expected);
    expected = event.sequence + 1n;
    // Order events overtake books and trades: those that waited come after them.
    if (told.orderEvents === events) setTimeout(finish, 300);
  },
});

const sidecar = quietSidecar(strategy, values, clock);
sidecar.start();

// The stages of an order's life at which faults strike: how an order gets there, and what goes on after the strike.
import type { Fault } from '../chaos/faults.ts';
import type { Place } from './core.ts';
import type { CellOrder } from './order.ts';
import type { World } from './world.ts';

/** The request that a fault of REST meets at a stage. */
export interface Next {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path?: string;
  /** Whether it has been sent when the fault strikes: then the fault must wait for it at the exchange before. */
  readonly sent: boolean;
}

export interface Stage {
  readonly id: string;
  readonly title: string;
  /** What the order is at that moment. */
  readonly meaning: string;
  readonly next: Next;
  /** Whether the core is killed there in any case; the fault then strikes its recovery. */
  readonly crash?: true;
  /** Least quantity of the order in BTC; small ones take, large ones rest. */
  readonly least: number;
  /** What must be wrong at the exchange for an order to get there. */
  readonly setting?: Fault;
  /** Brings the order there, calls `strike` at that moment, and lets go. */
  run(world: World, order: CellOrder, strike: () => Promise<void>): Promise<void>;
}

const post = { method: 'POST', path: '/api/v3/order' } as const;
const cancel = { method: 'DELETE', path: '/api/v3/order' } as const;
const query = { method: 'GET', sent: false } as const;
const taking = 0.01;
const resting = 1;
/** Longer than the core waits for a reply; shorter than a cell. */
const lateMs = 900;
/** Long enough for a trade to come between a cancel's start and its arrival. */
const onItsWayMs = 450;
/** The part of a resting order that the other account trades against. */
const part = 0.3;

/** So often an order is sent anew when it did not come to where the core is to hold it: refused, or told otherwise. */
const mostAttempts = 4;
const heldWithinMs = 3_000;

/** Holds the core where the order comes by that `send` sends. */
async function holdAt(
  place: Place,
  world: World,
  order: CellOrder,
  send: () => Promise<void>,
): Promise<void> {
  for (let attempt = 1; attempt <= mostAttempts; attempt += 1) {
    await world.core.arm(place);
    await send();
    if (await world.core.held(place, heldWithinMs)) return;
    await world.core.disarm();
    await world.settle();
  }
  const last = world.sidecar.eventsOf(order.ref).at(-1);
  throw new Error(`no order came to ${place} in ${mostAttempts} attempts: ${last?.code} ${last?.text}`);
}

/** Holds the core where an order that takes has come to. */
const heldAt = (place: Place) => async (world: World, order: CellOrder, strike: () => Promise<void>) => {
  await holdAt(place, world, order, () => order.take());
  await strike();
  await world.core.release(place);
};

/** Held with the first deal of a resting order; before it rests it is armed, as others trade against it too. */
const fills = (world: World, order: CellOrder): Promise<void> =>
  holdAt('deal-received', world, order, async () => {
    await order.rest();
    await order.isMet(part);
  });

export const stages: readonly Stage[] = [
  {
    id: 'intent-received',
    title: 'intent received',
    meaning: 'the engine has taken the intent from its ring; the journal does not know it',
    next: { ...post, sent: false },
    least: taking,
    run: heldAt('intent-received'),
  },
  {
    id: 'risk-passed',
    title: 'risk passed',
    meaning: 'the engine has decided to send; the journal does not know it',
    next: { ...post, sent: false },
    least: taking,
    run: heldAt('risk-passed'),
  },
  {
    id: 'journaled',
    title: 'journaled',
    meaning: 'the request is in the journal and with nobody else',
    next: { ...post, sent: false },
    least: taking,
    run: heldAt('journaled'),
  },
  {
    id: 'half-written',
    title: 'bytes half written',
    meaning: 'the exchange has half of the request',
    next: { ...post, sent: false },
    least: taking,
    run: heldAt('bytes-half-written'),
  },
  {
    id: 'written',
    title: 'bytes written',
    meaning: 'the exchange has the request; its answer was not read',
    next: { ...post, sent: true },
    least: taking,
    run: heldAt('bytes-written'),
  },
  {
    id: 'ack-lost',
    title: 'ack lost',
    meaning: 'booked; the answer never comes',
    next: query,
    least: taking,
    setting: { kind: 'loss', on: 'rest', ...post, apply: true, nth: 1 },
    async run(world, order, strike) {
      await order.take();
      await world.exchange.hasStruck('loss');
      await strike();
    },
  },
  {
    id: 'ack-late',
    title: 'ack late',
    meaning: 'booked; the answer comes after the core has given it up',
    next: query,
    least: taking,
    setting: { kind: 'delay', on: 'rest', ...post, leg: 'reply', delayMs: lateMs, nth: 1 },
    async run(world, order, strike) {
      await order.take();
      await world.exchange.hasStruck('delay');
      await strike();
    },
  },
  {
    id: 'ack-crash',
    title: 'ack, then crash',
    meaning:
      'the answer was read, the core is killed before the engine hears of it; the fault strikes the recovery',
    next: query,
    crash: true,
    least: taking,
    async run(world, order, strike) {
      await holdAt('ack-received', world, order, () => order.take());
      await world.core.kill();
      await strike();
    },
  },
  {
    id: 'partial-crash',
    title: 'partial fill, then crash',
    meaning:
      'a deal of the resting order was read, the core is killed before it is journaled; the fault strikes the recovery',
    next: query,
    crash: true,
    least: resting,
    async run(world, order, strike) {
      await fills(world, order);
      await world.core.kill();
      await strike();
    },
  },
  {
    id: 'cancel-races',
    title: 'cancel racing fill',
    meaning: 'the cancel is on its way while the resting order is filled',
    next: { ...cancel, sent: true },
    least: resting,
    setting: { kind: 'delay', on: 'rest', ...cancel, leg: 'request', delayMs: onItsWayMs, nth: 1 },
    async run(world, order, strike) {
      await order.rest();
      world.sidecar.cancel(order.ref);
      await world.exchange.hasStruck('delay');
      await order.isMet(part);
      await strike();
    },
  },
  {
    id: 'cancel-lost',
    title: 'cancel lost',
    meaning: 'the cancel of the resting order never reached the exchange, which never answers it',
    next: { ...cancel, sent: false },
    least: resting,
    setting: { kind: 'loss', on: 'rest', ...cancel, apply: false, nth: 1 },
    async run(world, order, strike) {
      await order.rest();
      world.sidecar.cancel(order.ref);
      await world.exchange.hasStruck('loss');
      await strike();
    },
  },
];

/** A stage of the list that has no cell yet. */
export const absentStages: readonly { readonly title: string; readonly reason: string }[] = [
  {
    title: 'batch half accepted',
    reason:
      'the core sends each order by a call of its own and no `batchOrders`, so that no batch can be half accepted',
  },
];

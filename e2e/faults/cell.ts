// One cell of the matrix: an order is brought to a stage, the fault strikes, and the books say whether all is well.
import { Side } from '@flashpod/proto';
import type { Fault } from '../chaos/faults.ts';
import { duplicates, type JudgedOrder, limitsPassed } from '../chaos/invariants.ts';
import { until } from '../shared.ts';
import { CellOrder, isEnd } from './order.ts';
import type { Stage } from './stages.ts';
import type { Strike } from './strikes.ts';
import { limits } from './terms.ts';
import type { World } from './world.ts';

export interface Cell {
  readonly stage: Stage;
  readonly strike: Strike;
}

export interface Verdict {
  /** Who says that the fault happened, and what. */
  readonly evidence: string;
  /** Empty when every invariant held. */
  readonly complaints: readonly string[];
}

const struckWithinMs = 10_000;
const onPrivate = ({ on }: Fault): boolean => on === 'private';
const present = <T>(item: T | undefined | false): item is T => item !== undefined && item !== false;

/** What the account holds of the pair now, less what it began with. */
async function position(world: World): Promise<number> {
  const { orders } = await world.exchange.account();
  const signed = orders.map(({ side, executedQty }) => Number(executedQty) * (side === 'BUY' ? 1 : -1));
  return signed.reduce((sum, one) => sum + one, 0);
}

/** The faults of the exchange that a cell needs, and when. */
class ExchangeFaults {
  readonly #world: World;
  readonly #cell: Cell;
  #early: readonly Fault[] = [];
  #late: readonly Fault[] = [];
  #told: string[] = [];

  constructor(world: World, cell: Cell) {
    this.#world = world;
    this.#cell = cell;
  }

  get #onRest(): Fault | undefined {
    const { stage, strike } = this.#cell;
    return strike.onRest?.(stage.next);
  }

  /** Before the order: what brings it to its stage, and what must be there when its request comes. */
  async prepare(): Promise<void> {
    const { stage, strike } = this.#cell;
    // The second cancel is the one to strike where the first is lost.
    this.#early = [stage.next.sent && this.#onRest].filter(present);
    const accounts = stage.crash
      ? []
      : (strike.onStreams ?? []).filter((fault) => onPrivate(fault) && fault['for']);
    await this.#world.exchange.setFaults([...this.#early, ...[stage.setting].filter(present), ...accounts]);
  }

  /** At the stage. */
  async strike(): Promise<void> {
    const { stage, strike } = this.#cell;
    await this.#haveStruck(this.#early);
    this.#late = [!stage.next.sent && this.#onRest, ...(strike.onStreams ?? [])].filter(present);
    if (this.#late.length > 0) await this.#world.exchange.setFaults(this.#late);
    // What the book sees must be there before the order goes on; a core that is gone sees nothing yet.
    if (!stage.crash) await this.#haveStruck(strike.onStreams ?? [], this.#late);
  }

  /** After the order went on: what waited for its next request. */
  async fired(): Promise<string> {
    await this.#haveStruck(this.#late);
    return this.#told.join(', ');
  }

  async #haveStruck(wanted: readonly Fault[], all = wanted): Promise<void> {
    // Whether the account's stream says anything is the order's business.
    const needed = all.flatMap((fault, at) => (wanted.includes(fault) && !onPrivate(fault) ? [at] : []));
    if (needed.length === 0) return;
    const names = needed.map(
      (at) => `${all[at]?.kind} on ${all[at]?.['on'] ?? all[at]?.['method'] ?? 'public'}`,
    );
    const counts = await until(`the exchange to count ${names.join(', ')}`, struckWithinMs, async () => {
      const struck = await this.#world.exchange.struck();
      return needed.every((at) => (struck[at] ?? 0) > 0) ? struck : undefined;
    });
    this.#told = needed.map((at, n) => `exchange: ${names[n]} × ${counts[at]}`);
  }
}

/** What the sidecar was told of the order against what the exchange has. */
function toldOf(world: World, order: CellOrder, books: readonly JudgedOrder[]): string[] {
  const told = order.refs.flatMap((ref) => world.sidecar.eventsOf(ref));
  const deals = told.flatMap(({ fill }) => (fill ? [fill.tradeId] : [])).sort();
  const theirs = books.flatMap(({ fills }) => fills.map(({ tradeId }) => tradeId)).sort();
  const same = deals.length === theirs.length && deals.every((deal, at) => deal === theirs[at]);
  const fills = same ? [] : [`the sidecar was told of fills ${deals}, the exchange has ${theirs}`];
  const ended = told.filter(isEnd).length;
  if (ended > order.refs.length || ended < books.length)
    fills.push(`the sidecar was told of ${ended} ends of ${books.length} orders`);
  return fills;
}

async function judge(world: World, order: CellOrder): Promise<string[]> {
  const { orders } = await world.exchange.account();
  const books = await order.allAtExchange();
  const sent = order.refs.length;
  const twice = books.length > sent ? [`${sent} orders are ${books.length} at the exchange`] : [];
  const judged = limitsPassed(orders as JudgedOrder[], limits);
  return [
    ...duplicates(orders),
    ...twice,
    ...judged,
    ...toldOf(world, order, books),
    ...world.sidecar.complaints,
  ];
}

export async function runCell(world: World, cell: Cell, number: number): Promise<Verdict> {
  const { stage, strike } = cell;
  await world.exchange.setFaults([]);
  await world.recover();
  await world.core.disarm();
  await world.settle();

  const side = (await position(world)) > 0 ? Side.SELL : Side.BUY;
  const order = new CellOrder(world, number, side, stage.least);
  const faults = new ExchangeFaults(world, cell);
  await faults.prepare();
  let byCore: (() => Promise<string>) | undefined;
  await stage.run(world, order, async () => {
    byCore = await strike.onCore?.(world, stage);
    await faults.strike();
    if (stage.crash && !world.core.alive && !strike.onCore) await world.core.start();
  });
  const evidence = [await faults.fired(), await byCore?.()].filter(Boolean).join(', ');
  if (evidence === '') throw new Error('nobody says that the fault happened');
  await world.recover();
  await world.settle();
  return { evidence, complaints: await judge(world, order) };
}

// The order of one cell: its own quantity tells it from all others at the exchange.
import { type OrderEvent, OrderEvent_Kind, OrderType, Side } from '@flashpod/proto';
import type { JudgedOrder } from '../chaos/invariants.ts';
import { until } from '../shared.ts';
import { symbol } from './terms.ts';
import type { World } from './world.ts';

/** Whole numbers of the last place of prices and quantities: no sums of doubles. */
const places = (text: string): number => (text.split('.')[1] ?? '').length;

const ends: readonly OrderEvent_Kind[] = [
  OrderEvent_Kind.REJECTED,
  OrderEvent_Kind.FILLED,
  OrderEvent_Kind.CANCELLED,
];
export const isEnd = ({ kind }: OrderEvent): boolean => ends.includes(kind);

/** So often an order to rest is sent anew, when the market had moved into it. */
const mostAttempts = 5;

export class CellOrder {
  readonly quantity: string;
  readonly side: Side;
  readonly #world: World;
  readonly #name: string;
  /** One for each attempt. */
  readonly refs: string[] = [];
  #price = '';

  /** `number` counts the cells of a world, from 1; `least` is in BTC, and a ten-thousandth for each cell is added. */
  constructor(world: World, number: number, side: Side, least: number) {
    this.#world = world;
    this.#name = `cell-${number}`;
    this.side = side;
    this.quantity = (least + number / 10_000).toFixed(4);
  }

  /** Of the newest attempt. */
  get ref(): string {
    return this.refs.at(-1) ?? this.#name;
  }

  /** Takes at once what is there, well inside the price collar. */
  async take(): Promise<void> {
    const { book, instrument } = await this.#world.sidecar.market();
    const best = this.side === Side.BUY ? (book.askPrices[0] ?? 0) * 1.001 : (book.bidPrices[0] ?? 0) * 0.999;
    this.#price = best.toFixed(places(instrument.tickSize));
    await this.#send(OrderType.IOC);
  }

  /** Joins the best price of its own side and rests there. */
  async rest(): Promise<void> {
    for (let attempt = 1; attempt <= mostAttempts; attempt += 1) {
      const { book, instrument } = await this.#world.sidecar.market();
      const best = this.side === Side.BUY ? book.bidPrices[0] : book.askPrices[0];
      this.#price = (best ?? 0).toFixed(places(instrument.tickSize));
      await this.#send(OrderType.LIMIT_MAKER);
      const became = await until(`${this.ref} to rest or to end`, 5_000, async () => {
        const order = (await this.allAtExchange()).at(-1);
        if (order && order.closedUnixNs === null) return 'resting';
        return this.#world.sidecar.eventsOf(this.ref).some(isEnd) && 'over';
      });
      if (became === 'resting') return;
    }
    const last = this.#world.sidecar.eventsOf(this.ref).at(-1);
    throw new Error(`no order came to rest in ${mostAttempts} attempts: ${last?.code} ${last?.text}`);
  }

  async #send(type: OrderType): Promise<void> {
    this.refs.push(`${this.#name}-${this.refs.length + 1}`);
    await this.#world.sidecar.order(this.ref, type, this.side, this.#price, this.quantity);
  }

  /** The orders that the exchange has of this cell: at most one for each attempt. */
  async allAtExchange(): Promise<JudgedOrder[]> {
    const { orders } = await this.#world.exchange.account();
    return (orders as JudgedOrder[]).filter(({ origQty }) => Number(origQty) === Number(this.quantity));
  }

  async atExchange(): Promise<JudgedOrder | undefined> {
    return (await this.allAtExchange()).at(-1);
  }

  /** The other account trades against it, and those before it in the queue, until `part` of it is filled. */
  async isMet(part: number): Promise<void> {
    await until(`${this.ref} to be filled to ${part}`, 10_000, async () => {
      const order = await this.atExchange();
      if (!order || order.closedUnixNs !== null) throw new Error(`${this.ref} does not rest any more`);
      if (Number(order.executedQty) >= part * Number(this.quantity)) return true;
      const [levels, quantities] = await this.#ahead();
      const price = Number(this.#price);
      const better = levels.map((level, at) => {
        const before = this.side === Side.BUY ? level >= price : level <= price;
        return before ? (quantities[at] ?? 0) : 0;
      });
      const all = better.reduce((sum, quantity) => sum + quantity, 0);
      const own = Number(this.quantity) - Number(order.executedQty);
      // Of what is there at this price or better, all but the rest of ours, and the part of it.
      const wanted = Math.max(all - own, 0) + own * part;
      const side = this.side === Side.BUY ? 'SELL' : 'BUY';
      await this.#world.exchange.rivalTakes(symbol, side, wanted.toFixed(4), this.#price);
      return false;
    }).catch(async (error: Error) => {
      const order = await this.atExchange();
      // More than enough of it is filled: the others before it had gone meanwhile.
      if (!order || Number(order.executedQty) < part * Number(this.quantity)) throw error;
    });
  }

  async #ahead(): Promise<[number[], number[]]> {
    const { book } = await this.#world.sidecar.market();
    return this.side === Side.BUY
      ? [book.bidPrices, book.bidQuantities]
      : [book.askPrices, book.askQuantities];
  }
}

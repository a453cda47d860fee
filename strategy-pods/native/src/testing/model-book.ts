// An order book in TypeScript: the model that the native one is held against, and what it is timed against.
// Sorted arrays with the best price last, where most changes are; found by bisection.

export class ModelSide {
  readonly prices: number[] = [];
  readonly quantities: number[] = [];
  readonly #sign: 1 | -1;

  /** `sign` is 1 when higher prices are better (bids). */
  constructor(sign: 1 | -1) {
    this.#sign = sign;
  }

  set(price: number, quantity: number): void {
    const { prices, quantities } = this;
    const key = this.#sign * price;
    let [low, high] = [0, prices.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#sign * (prices[middle] as number) < key) low = middle + 1;
      else high = middle;
    }
    const known = prices[low] === price;
    if (quantity === 0) {
      if (!known) return;
      prices.splice(low, 1);
      quantities.splice(low, 1);
    } else if (known) quantities[low] = quantity;
    else {
      prices.splice(low, 0, price);
      quantities.splice(low, 0, quantity);
    }
  }

  clear(): void {
    this.prices.length = 0;
    this.quantities.length = 0;
  }

  /** Best first: `[price, quantity]`. */
  top(count: number): [number, number][] {
    const levels: [number, number][] = [];
    for (let i = this.prices.length - 1; i >= 0 && levels.length < count; i--)
      levels.push([this.prices[i] as number, this.quantities[i] as number]);
    return levels;
  }
}

export class ModelBook {
  readonly bids = new ModelSide(1);
  readonly asks = new ModelSide(-1);

  clear(): void {
    this.bids.clear();
    this.asks.clear();
  }
}

// Counts exceptions of callbacks and decides when a strategy is no longer fit to trade.

export type CallbackName = 'onStart' | 'onBook' | 'onTrade' | 'onOrder' | 'onTimer' | 'onStop';

export class FailureCount {
  readonly #limit: number;
  // In a row per callback: a healthy onTrade must not hide an onBook that always throws.
  readonly #inARow = new Map<CallbackName, number>();
  #total = 0;
  #faulted = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get total(): number {
    return this.#total;
  }

  get faulted(): boolean {
    return this.#faulted;
  }

  succeeded(callback: CallbackName): void {
    this.#inARow.delete(callback);
  }

  /** Returns how many in a row that makes. */
  failed(callback: CallbackName): number {
    const inARow = (this.#inARow.get(callback) ?? 0) + 1;
    this.#inARow.set(callback, inARow);
    this.#total += 1;
    // A strategy that could not start has no state to trade on.
    if (inARow >= this.#limit || callback === 'onStart') this.#faulted = true;
    return inARow;
  }
}

// Counts exceptions of callbacks and decides when a strategy is no longer fit to trade.

export type CallbackName =
  | 'memory'
  | 'onStart'
  | 'onBook'
  | 'onTrade'
  | 'onOrder'
  | 'onTimer'
  | 'onStop'
  /** What a callback left running: a promise that nobody waits for, a timer of its own. */
  | 'background';

/** Without these there is no state to trade on, or nobody knows what it is. */
const fatal: ReadonlySet<CallbackName> = new Set(['memory', 'onStart', 'background']);

export class FailureCount {
  readonly #limit: number;
  // In a row per callback: a healthy onTrade must not hide an onBook that always throws.
  readonly #inARow = new Map<CallbackName, number>();
  #total = 0;
  #fault: string | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get total(): number {
    return this.#total;
  }

  /** Why the strategy trades no more. */
  get fault(): string | undefined {
    return this.#fault;
  }

  succeeded(callback: CallbackName): void {
    this.#inARow.delete(callback);
  }

  /** Returns how many in a row that makes. */
  failed(callback: CallbackName, error: unknown): number {
    const inARow = (this.#inARow.get(callback) ?? 0) + 1;
    this.#inARow.set(callback, inARow);
    this.#total += 1;
    if (inARow >= this.#limit || fatal.has(callback)) {
      const times = inARow === 1 ? '' : ` ${inARow} times in a row`;
      const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      const what = callback === 'background' ? 'what it left running' : callback;
      this.#fault ??= `${what} threw${times}: ${text}`;
    }
    return inARow;
  }
}

// Keeps what cannot be written just now, bounded: a stalled core must cost neither memory nor a lost cancel.

import type {
  CancelOutput,
  IntentOutput,
  Output,
  RuleOutput,
  SymbolName,
  WantedQuotesOutput,
} from '@flashpod/sdk';

export class Outbox {
  // A cancel is never lost, and asking twice for the same changes nothing.
  readonly #cancels = new Map<string, CancelOutput>();
  // Wanted quotes are whole sets, and a rule replaces them: the newest says it all.
  readonly #quotes = new Map<SymbolName, WantedQuotesOutput | RuleOutput>();
  #superseded = 0;

  /** Quote sets that were void before they could be written: replaced by newer ones, or their session was over. */
  get superseded(): number {
    return this.#superseded;
  }

  /** Keeps the output for later; returns an intent back, since an order that waits is not the one decided. */
  keep(output: Output): IntentOutput | undefined {
    if (output.kind === 'intent') return output;
    if (output.kind === 'cancel') this.#cancels.set(`${output.ref ?? ''} ${output.symbol ?? ''}`, output);
    else {
      if (this.#quotes.has(output.symbol)) this.#superseded += 1;
      this.#quotes.set(output.symbol, output);
    }
    return undefined;
  }

  /** Takes everything kept, cancels first. */
  take(): Output[] {
    const kept = [...this.#cancels.values(), ...this.#quotes.values()];
    this.#cancels.clear();
    this.#quotes.clear();
    return kept;
  }

  /** Quotes belong to the session that they were decided in; a cancel holds in the next one too. */
  forgetQuotes(): void {
    this.#superseded += this.#quotes.size;
    this.#quotes.clear();
  }
}

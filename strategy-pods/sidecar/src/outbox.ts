// Keeps what cannot be written just now, bounded: a stalled core must cost neither memory nor a lost cancel.

import type { CancelOutput, IntentOutput, Output, SymbolName, WantedQuotesOutput } from '@flashpod/sdk';

export class Outbox {
  // A cancel is never lost, and asking twice for the same changes nothing.
  readonly #cancels = new Map<string, CancelOutput>();
  // Wanted quotes are whole sets: the newest says it all.
  readonly #quotes = new Map<SymbolName, WantedQuotesOutput>();
  #superseded = 0;

  /** Quote sets that a newer one replaced before they could be written. */
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
    this.clear();
    return kept;
  }

  /** A session that ended took its quotes and open cancels with it; the next one starts from its snapshot. */
  clear(): void {
    this.#cancels.clear();
    this.#quotes.clear();
  }
}

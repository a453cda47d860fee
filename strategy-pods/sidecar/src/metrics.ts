// What /metrics shows. Counters of everything that was lost, late or refused are part of it.

import type { Metrics, SymbolName } from '@flashpod/sdk';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

const microseconds = [5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 50_000];

export class SidecarMetrics {
  readonly registry = new Registry();
  readonly books = this.#counter('books_total', 'Book updates handled', ['symbol']);
  readonly conflated = this.#counter('books_conflated_total', 'Book updates replaced by newer ones', [
    'symbol',
  ]);
  readonly trades = this.#counter('trades_total', 'Trades handled', ['symbol']);
  readonly tradesDropped = this.#counter('trades_dropped_total', 'Trades the core left out', ['symbol']);
  readonly orders = this.#counter('order_events_total', 'Order events handled', ['kind']);
  readonly repeated = this.#counter('order_events_repeated_total', 'Order events seen before');
  readonly sent = this.#counter('sent_total', 'Messages sent to the core', ['kind']);
  readonly refused = this.#counter('intents_refused_total', 'Intents that never left this process', ['code']);
  readonly callbackFailures = this.#counter('callback_failures_total', 'Exceptions of callbacks', [
    'callback',
  ]);
  readonly held = this.#counter('loop_held_total', 'Callbacks that held the process for a second or longer', [
    'event',
  ]);
  readonly disconnects = this.#counter('disconnects_total', 'Sessions and attempts that ended');
  readonly decision = new Histogram({
    name: 'flashpod_sidecar_decision_seconds',
    help: 'Time from a message to the strategy’s answer being written',
    labelNames: ['event'],
    buckets: microseconds.map((one) => one / 1e6),
    registers: [this.registry],
  });
  readonly strategy: Metrics;

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    const counts = this.#counter('strategy_count_total', 'Counters of the strategy', ['name']);
    const gauges = this.#gauge('strategy_gauge', 'Gauges of the strategy', ['name', 'symbol']);
    this.strategy = {
      count: (name, by = 1) => counts.inc({ name }, by),
      gauge: (name: string, symbol: SymbolName, value) => gauges.set({ name, symbol }, value),
    };
  }

  /** A gauge that is read when it is scraped. */
  watch(name: string, help: string, read: () => number): void {
    const gauge: Gauge = new Gauge({
      name: `flashpod_${name}`,
      help,
      registers: [this.registry],
      collect: () => gauge.set(read()),
    });
  }

  #counter(name: string, help: string, labelNames: string[] = []): Counter {
    const prefix = name.startsWith('strategy_') ? 'flashpod_' : 'flashpod_sidecar_';
    return new Counter({ name: `${prefix}${name}`, help, labelNames, registers: [this.registry] });
  }

  #gauge(name: string, help: string, labelNames: string[]): Gauge {
    return new Gauge({ name: `flashpod_${name}`, help, labelNames, registers: [this.registry] });
  }
}

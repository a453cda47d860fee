// What a strategy logged and counted, kept for the test.

import type { SymbolName } from '../brand.js';
import type { Logger, Metrics } from '../strategy.js';

export interface LogLine {
  readonly atMs: number;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: object;
}

export class LogWitness implements Logger {
  readonly lines: LogLine[] = [];
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  debug = (message: string, fields?: object): void => this.#keep('debug', message, fields);
  info = (message: string, fields?: object): void => this.#keep('info', message, fields);
  warn = (message: string, fields?: object): void => this.#keep('warn', message, fields);
  error = (message: string, fields?: object): void => this.#keep('error', message, fields);

  #keep(level: LogLine['level'], message: string, fields: object = {}): void {
    this.lines.push({ atMs: this.#nowMs(), level, message, fields });
  }
}

export class MetricsWitness implements Metrics {
  readonly #counts = new Map<string, number>();
  readonly #gauges = new Map<string, number>();

  count(name: string, by = 1): void {
    this.#counts.set(name, this.countOf(name) + by);
  }

  gauge(name: string, symbol: SymbolName, value: number): void {
    this.#gauges.set(`${name}/${symbol}`, value);
  }

  /** 0 when it never counted. */
  countOf(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** Undefined when it was never set. */
  gaugeOf(name: string, symbol: string): number | undefined {
    return this.#gauges.get(`${name}/${symbol}`);
  }
}

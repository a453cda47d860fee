// What tests ask of a stage. Plain assertions of Node: they work under every test runner.

import assert from 'node:assert/strict';
import type { IntentOutput, Output } from '../outputs.js';
import type { TestOrder } from './orders.js';
import type { Stage } from './stage.js';
import type { LogLine } from './witness.js';

/** A stage whatever its strategy. */
// biome-ignore lint/suspicious/noExplicitAny: parameters and memory are the strategy's own business
export type AnyStage = Stage<any, any>;

/** A price, or price and quantity; null: no quote on that side. A side left out may be as it likes. */
export interface ExpectedQuotes {
  readonly bid?: string | { readonly price?: string; readonly quantity?: string } | null;
  readonly ask?: string | { readonly price?: string; readonly quantity?: string } | null;
}

/** The quotes wanted now, e.g. `assertQuotes(stage, 'BTCUSDC', { bid: '59999.5', ask: null })`. */
export function assertQuotes(stage: AnyStage, symbol: string, expected: ExpectedQuotes): void {
  const wanted = stage.wanted(symbol);
  const shown: Record<string, unknown> = {};
  const asked: Record<string, unknown> = {};
  for (const side of ['bid', 'ask'] as const) {
    const quote = expected[side];
    if (quote === undefined) continue;
    const fields = typeof quote === 'string' ? { price: quote } : quote;
    asked[side] = fields;
    shown[side] = fields === null ? (wanted[side] ?? null) : pick(wanted[side], fields);
  }
  assert.deepEqual(shown, asked, `quotes of ${symbol} at ${stage.clock.ms} ms are ${JSON.stringify(wanted)}`);
}

/** Nothing is wanted in the pair. */
export function assertNoQuotes(stage: AnyStage, symbol: string): void {
  assertQuotes(stage, symbol, { bid: null, ask: null });
}

/** Exactly one intent is among the outputs, with these fields; gives it, to be filled or rejected. */
export function assertIntent(
  outputs: readonly Output[],
  expected: Partial<Record<keyof IntentOutput, unknown>> = {},
): IntentOutput {
  const intents = intentsOf(outputs);
  const [intent] = intents;
  assert.ok(
    intent && intents.length === 1,
    `one intent was expected, there are ${intents.length}: ${show(outputs)}`,
  );
  assert.deepEqual(pick(intent, expected), expected, `the intent is ${show([intent])}`);
  return intent;
}

export function assertNoIntent(outputs: readonly Output[]): void {
  const intents = intentsOf(outputs);
  assert.equal(intents.length, 0, `no intent was expected, there is ${show(intents)}`);
}

/** Nothing at all was wanted. */
export function assertSilent(outputs: readonly Output[]): void {
  assert.equal(outputs.length, 0, `nothing was expected, there is ${show(outputs)}`);
}

/** A line of the strategy's log; gives it. */
export function assertLogged(stage: AnyStage, level: LogLine['level'], message: string | RegExp): LogLine {
  const found = stage.log.lines.find(
    (line) =>
      line.level === level &&
      (typeof message === 'string' ? line.message.includes(message) : message.test(line.message)),
  );
  const lines = stage.log.lines.map((line) => `  ${line.level}: ${line.message}`).join('\n') || '  nothing';
  assert.ok(found, `no ${level} line like ${message}; logged was\n${lines}`);
  return found;
}

/** A counter of the strategy. */
export function assertCount(stage: AnyStage, name: string, expected: number): void {
  assert.equal(stage.metrics.countOf(name), expected, `count ${name}`);
}

/** A gauge of the strategy; undefined: never set. */
export function assertGauge(
  stage: AnyStage,
  name: string,
  symbol: string,
  expected: number | undefined,
): void {
  assert.equal(stage.metrics.gaugeOf(name, symbol), expected, `gauge ${name} of ${symbol}`);
}

const intentsOf = (outputs: readonly Output[]): IntentOutput[] =>
  outputs.filter((one) => one.kind === 'intent');

function pick(from: TestOrder | IntentOutput | undefined, fields: object): object | null {
  if (from === undefined) return null;
  return Object.fromEntries(Object.keys(fields).map((key) => [key, from[key as keyof typeof from]]));
}

function show(outputs: readonly Output[]): string {
  return JSON.stringify(outputs, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}

// Tests of strategies: `@flashpod/sdk/testing`.

export {
  type AnyStage,
  assertCount,
  assertGauge,
  assertIntent,
  assertLogged,
  assertNoIntent,
  assertNoQuotes,
  assertQuotes,
  assertSilent,
  type ExpectedQuotes,
} from './assert.js';
export { VirtualClock } from './clock.js';
export { TestExchange } from './exchange.js';
export { type Moment, StrategyFailure } from './failure.js';
export type { StageOptions } from './options.js';
export type { OrderReport, TestFill, TestOrder, WantedPair } from './orders.js';
export { type RecordingOptions, recorded } from './recording.js';
export {
  type InstrumentSketch,
  type Levels,
  sketchBook,
  sketchInstrument,
  sketchPosition,
  sketchTrades,
} from './sketch.js';
export { type EventSource, type MarketEvent, scripted } from './source.js';
export { type RunFigures, Stage } from './stage.js';
export { type LogLine, LogWitness, MetricsWitness } from './witness.js';

// The core's book, codecs, matching and recordings in Node.

import { binding } from './binding.js';
import { call } from './errors.js';

export { Book, type BookOptions, type LevelText, type Side } from './book.js';
export {
  type BookSnapshot,
  type BookUpdate,
  CertifiedBook,
  type CertifiedBookOptions,
  type ContinuityRule,
  type Step,
} from './certified-book.js';
export type { Levels } from './check.js';
export {
  AbortedError,
  BadFrameError,
  BadRecordingError,
  BusyError,
  DisposedError,
  InternalError,
  InvalidArgumentError,
  NativeError,
  type NativeErrorCode,
  NotBuiltError,
  nativeErrors,
} from './errors.js';
export { Market } from './market.js';
export {
  EstimatedBook,
  FifoBook,
  type NewOrder,
  type OrderType,
  type PassiveFill,
  type Placement,
  type QueueModel,
} from './matching.js';
export * from './push.js';
export { type Batch, eventKinds, Replay, type ReplayOptions, type ReplayProgress } from './replay.js';
export { type ReplayedOptions, replayed } from './source.js';
export { BookWindow } from './window.js';

/** Panics inside the addon on purpose: throws `InternalError` when the addon was built to survive that. */
export function provokePanic(): void {
  call(() => binding.provokePanic());
}

// MEXC push frames: the core's own decoder, and its inverse.

import type {
  BalancePush,
  BookTicker,
  Deal,
  Depth,
  FillPush,
  Kline,
  LimitDepth,
  PushFrame as NativeFrame,
  OrderPush,
} from './binding.js';
import { binding } from './binding.js';
import * as check from './check.js';
import { call } from './errors.js';

export type { BalancePush, BookTicker, Deal, Depth, FillPush, Kline, LimitDepth, OrderPush };

/**
 * Levels are doubles in typed arrays of their own, everything that is booked is decimal text, versions are whole
 * numbers, times milliseconds since 1970 (`S` at the end of a name: seconds).
 */
export type PushFrame = PushHead & PushBody;

export interface PushHead {
  /** As subscribed, e.g. `spot@public.aggre.depth.v3.api.pb@100ms@BTCUSDC`. */
  readonly channel: string;
  /** Missing on account pushes. */
  readonly symbol?: string;
  readonly createdMs?: number;
  readonly sentMs?: number;
}

export type PushBody =
  | { readonly kind: 'depth'; readonly depth: Depth }
  | { readonly kind: 'limitDepth'; readonly limitDepth: LimitDepth }
  | { readonly kind: 'deals'; readonly deals: Deal[] }
  | { readonly kind: 'bookTicker'; readonly bookTicker: BookTicker }
  | { readonly kind: 'kline'; readonly kline: Kline }
  | { readonly kind: 'order'; readonly order: OrderPush }
  | { readonly kind: 'fill'; readonly fill: FillPush }
  | { readonly kind: 'balance'; readonly balance: BalancePush }
  /** A public push that Flashpod does not use, by its name in the schema. Cannot be encoded. */
  | { readonly kind: 'unused'; readonly unused: string };

/** Any bytes give a frame or a `BadFrameError`. */
export function decodePush(bytes: Uint8Array): PushFrame {
  check.bytes('bytes', bytes);
  return call(() => binding.decodePush(bytes)) as PushFrame;
}

/** Refuses with `InvalidArgumentError` what `decodePush` would not take. */
export function encodePush(frame: PushFrame): Buffer {
  check.object('frame', frame);
  check.text('kind', frame.kind);
  return call(() => binding.encodePush(frame as NativeFrame));
}

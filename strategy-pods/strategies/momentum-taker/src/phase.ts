// Where the strategy stands in one pair.

import type { OrderRef } from '@flashpod/sdk';

export type Phase =
  | { readonly kind: 'Idle' }
  | { readonly kind: 'Entering'; readonly ref: OrderRef; readonly sinceMs: number }
  | { readonly kind: 'Holding'; readonly trade: OpenTrade; readonly retryAtMs: number }
  | { readonly kind: 'Exiting'; readonly ref: OrderRef; readonly sinceMs: number; readonly trade: OpenTrade }
  | { readonly kind: 'Cooling'; readonly untilMs: number };

export interface OpenTrade {
  readonly entryPrice: number;
  readonly sinceMs: number;
}

export const idle: Phase = { kind: 'Idle' };

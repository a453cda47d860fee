// What the peers of the core have agreed on.
import type { Limits } from '../chaos/invariants.ts';

export const instance = 'maker-1';
export const token = `token-of-${instance}`;
export const symbol = 'BTCUSDC';
export const limits: Limits = {
  maxOrderNotional: 250_000,
  maxPositionNotional: 600_000,
  maxOpenOrders: 3,
};
/** Of the lease, from each renewal that the core heard of. */
export const softMs = 2_500;
export const hardMs = 4_000;

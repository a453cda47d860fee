// The order event of an intent that never left this process.

import type { ClientOrderId, DecimalText, IntentOutput, OrderEvent } from '@flashpod/sdk';

/** Sequence 0: the core knows nothing of it. `code` is CORE_STALLED or NOT_CONNECTED. */
export function refusal(intent: IntentOutput, code: string): OrderEvent {
  return {
    sequence: 0n,
    kind: 'Rejected',
    symbol: intent.symbol,
    clientOrderId: '' as ClientOrderId,
    ref: intent.ref,
    slot: undefined,
    side: intent.side,
    type: intent.type,
    price: intent.price ?? ('0' as DecimalText),
    quantity: intent.quantity,
    filledQuantity: '0' as DecimalText,
    fill: undefined,
    code,
    text: 'the order never left the sidecar',
    position: undefined,
  };
}

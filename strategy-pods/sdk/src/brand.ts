// Strings that must not be mixed up. A brand exists for the compiler only; the value is the plain string.

declare const brand: unique symbol;
type Brand<T, B extends string> = T & { readonly [brand]: { readonly [K in B]: true } };

/** A pair as the venue writes it, e.g. `BTCUSDC`. */
export type SymbolName = Brand<string, 'SymbolName'>;
/** An asset as the venue writes it, e.g. `USDC`. */
export type AssetName = Brand<string, 'AssetName'>;
/** Plain decimal text: an optional minus, digits, at most eight decimals (amounts: sixteen), never an exponent. */
export type DecimalText = Brand<string, 'DecimalText'>;
/** Decimal text on the tick grid of a pair; made by `roundPrice`. */
export type PriceText = Brand<DecimalText, 'PriceText'>;
/** Decimal text on the lot grid of a pair; made by `roundQuantity` or `quantityForNotional`. */
export type QuantityText = Brand<DecimalText, 'QuantityText'>;
/** Name of an intent, unique per strategy instance; comes back in every event of its order. */
export type OrderRef = Brand<string, 'OrderRef'>;
/** The id under which the venue knows an order; made by the core. */
export type ClientOrderId = Brand<string, 'ClientOrderId'>;

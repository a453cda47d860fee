// Every error of strategy pods, with its stable code and what to do about it.

export const remedies = {
  BAD_DECIMAL: 'give plain decimal text with at most eight decimals, e.g. "0.05"',
  OFF_GRID: 'make prices with roundPrice and quantities with roundQuantity or quantityForNotional',
  UNKNOWN_SYMBOL: 'use one of the symbols of the strategy (context.symbols)',
  BAD_QUOTE: 'quote a bid below the ask, each with a positive price and quantity',
  BAD_INTENT: 'give a unique ref, a positive quantity, and a price unless the type is Market',
  BAD_PARAMETERS: 'correct spec.parameters in the TradingStrategy manifest',
  BAD_ARGUMENT: 'start the sidecar as: node main.js --strategy NAME [--package DIR]',
  UNKNOWN_STRATEGY: 'name a built-in strategy, or the one in spec.image, in spec.strategy',
  BAD_PACKAGE: 'give a built package whose main module exports a strategy of defineStrategy as default',
  BAD_ENVIRONMENT: 'set the environment variable as the pod builder does',
  TOKEN_UNREADABLE: 'mount the token Secret of the instance at FLASHPOD_TOKEN_FILE',
  SESSION_REFUSED: 'compare the instance name and the token Secret with what the core was told by its agent',
  STRATEGY_THREW: 'mend the callback; the cause says where it threw',
  BAD_RECORDING: 'give frame files: a receive time, a space and JSON on each line, plain or gzip',
  BAD_MESSAGE: 'run core and sidecar of the same version',
} as const;

export type ErrorCode = keyof typeof remedies;

/** The one error class of strategy pods. */
export class StrategyError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StrategyError';
    this.code = code;
  }

  get remedy(): string {
    return remedies[this.code];
  }
}

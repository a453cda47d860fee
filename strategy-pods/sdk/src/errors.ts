// Every error of strategy pods, with its stable code, what happened and what to do about it.

export const strategyErrors = {
  BAD_DECIMAL: {
    meaning: 'A text is no plain decimal, or a number has more digits than are exact.',
    remedy: 'give plain decimal text with at most eight decimals, e.g. "0.05"',
  },
  OFF_GRID: {
    meaning: 'A price or quantity is not on the grid of its pair.',
    remedy: 'make prices with roundPrice and quantities with roundQuantity or quantityForNotional',
  },
  UNKNOWN_SYMBOL: {
    meaning: 'The strategy does not trade this pair.',
    remedy: 'use one of the symbols of the strategy (context.symbols)',
  },
  BAD_QUOTE: {
    meaning:
      'The quotes of a pair cross, one has no positive price and quantity, or the tolerance is no number.',
    remedy: 'quote a bid below the ask, each with a positive price and quantity',
  },
  BAD_RULE: {
    meaning: 'A rule for the core has a parameter that no core accepts; the message has its name and value.',
    remedy: 'give the parameter as the message says',
  },
  BAD_INTENT: {
    meaning: 'An order has no positive quantity, or not the price that its type takes.',
    remedy: 'give a positive quantity, and a price unless the type is Market',
  },
  BAD_PARAMETERS: {
    meaning:
      'The schema of the strategy refuses its parameters; the message has path, value and what is accepted.',
    remedy: 'correct spec.parameters in the TradingStrategy manifest',
  },
  BAD_ARGUMENT: {
    meaning: 'The sidecar was started with arguments that it does not take.',
    remedy: 'start the sidecar as: node main.js --strategy NAME [--package DIR]',
  },
  UNKNOWN_STRATEGY: {
    meaning: 'The sidecar has no strategy of this name.',
    remedy: 'name a built-in strategy, or the one in spec.image, in spec.strategy',
  },
  BAD_PACKAGE: {
    meaning: 'A folder holds no built package with a strategy, or its module throws when it is loaded.',
    remedy: 'give a built package whose main module exports a strategy of defineStrategy as default',
  },
  BAD_ENVIRONMENT: {
    meaning: 'An environment variable of the sidecar is missing or malformed.',
    remedy: 'set the environment variable as the pod builder does',
  },
  TOKEN_UNREADABLE: {
    meaning: 'The file with the token of the session cannot be read, or is empty.',
    remedy: 'mount the token Secret of the instance at FLASHPOD_TOKEN_FILE',
  },
  SESSION_REFUSED: {
    meaning: 'The core does not accept the session: another instance, another token, or one too many.',
    remedy: 'compare the instance name and the token Secret with what the core was told by its agent',
  },
  STRATEGY_THREW: {
    meaning: 'A callback threw in a test; the message has the event, its number and its time.',
    remedy: 'mend the callback; the cause says where it threw',
  },
  BAD_RECORDING: {
    meaning: 'A recording is missing, truncated, or of another format; the message names file and line.',
    remedy: 'give frame files: a receive time, a space and JSON on each line, plain or gzip',
  },
  BAD_MESSAGE: {
    meaning: 'A message between core and sidecar has a value that one of them does not know.',
    remedy: 'run core and sidecar of the same version',
  },
} as const;

export type ErrorCode = keyof typeof strategyErrors;

/** The one error class of strategy pods. */
export class StrategyError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StrategyError';
    this.code = code;
  }

  get remedy(): string {
    return strategyErrors[this.code].remedy;
  }
}

// Every error this package throws: one base class, a class for each code, and the one place that makes them.

/** Every code: what happened, and what to do. */
export const nativeErrors = {
  INVALID_ARGUMENT: {
    meaning: 'A value has the wrong type or is outside what is accepted; nothing was changed.',
    remedy: 'Pass what the message says is accepted.',
  },
  BAD_FRAME: {
    meaning: 'The bytes are no MEXC push frame of the known schema.',
    remedy: 'Count it and go on; if there are many, the exchange has a newer schema.',
  },
  BAD_RECORDING: {
    meaning:
      'A recording is missing, truncated, of another format (the message names file and line), or without the snapshot that `replayed` needs.',
    remedy:
      'Name a file of `<receive time> <JSON>` lines, plain or gzip, and beside it the one that holds the snapshot.',
  },
  DISPOSED: { meaning: 'The object was disposed of.', remedy: 'Make a new one.' },
  BUSY: {
    meaning: 'A second read was asked for while one runs.',
    remedy: 'Await the former one, or iterate with `for await`.',
  },
  ABORTED: {
    meaning: 'The work ended because its AbortSignal did; `cause` is the reason of the signal.',
    remedy: 'Nothing, if that was meant.',
  },
  NOT_BUILT: {
    meaning: 'The addon is not there, or not for this machine.',
    remedy: 'Run `npm run build` in the Flashpod checkout; it needs Rust.',
  },
  INTERNAL: {
    meaning:
      'A defect of the addon, a panic for instance. The object is not usable any more, the process goes on.',
    remedy: 'Report it with the message.',
  },
} as const;

export type NativeErrorCode = keyof typeof nativeErrors;

export class NativeError extends Error {
  readonly code: NativeErrorCode;

  constructor(code: NativeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
  }
}

/** A value of the wrong type or outside what is accepted. */
export class InvalidArgumentError extends NativeError {}
/** Bytes that are no push frame. */
export class BadFrameError extends NativeError {}
/** A recording that cannot be opened, or not read on. */
export class BadRecordingError extends NativeError {}
/** Use after `dispose`. */
export class DisposedError extends NativeError {}
/** A second read while one runs. */
export class BusyError extends NativeError {}
/** Ended by an AbortSignal. Its name is that of all such errors, `AbortError`. */
export class AbortedError extends NativeError {
  override name = 'AbortError';
}
/** The addon is not there. */
export class NotBuiltError extends NativeError {}
/** A defect of the addon, a panic for instance: the object is not usable any more, the process goes on. */
export class InternalError extends NativeError {}

const classes: Record<
  NativeErrorCode,
  new (
    code: NativeErrorCode,
    message: string,
    options?: ErrorOptions,
  ) => NativeError
> = {
  INVALID_ARGUMENT: InvalidArgumentError,
  BAD_FRAME: BadFrameError,
  BAD_RECORDING: BadRecordingError,
  DISPOSED: DisposedError,
  BUSY: BusyError,
  ABORTED: AbortedError,
  NOT_BUILT: NotBuiltError,
  INTERNAL: InternalError,
};

export function nativeError(code: NativeErrorCode, message: string, options?: ErrorOptions): NativeError {
  return new classes[code](code, message, options);
}

/** What the Node-API layer says when a value cannot be converted at all. */
const conversionCodes = /^(InvalidArg|\w+Expected)$/;

/** What the addon threw, as one of the classes. The addon writes `CODE: message` (`failure.rs`). */
export function translated(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof NativeError) return error;
  const [, code, message] = /^([A-Z_]+): (.*)$/s.exec(error.message) ?? [];
  if (code !== undefined && code in nativeErrors)
    return nativeError(code as NativeErrorCode, message ?? '', { cause: error });
  // A TypeError is one of a value that cannot even be shown in the message of its refusal.
  if (error instanceof TypeError || conversionCodes.test(String((error as { code?: unknown }).code)))
    return nativeError('INVALID_ARGUMENT', error.message, { cause: error });
  return error;
}

/** Runs a call into the addon. */
export function call<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw translated(error);
  }
}

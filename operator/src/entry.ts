// What the entry points of operator and agent have in common.

import { type ParseArgsConfig, parseArgs } from 'node:util';
import { Exit, type ExitCode, FlashpodError, messageOf } from './errors.js';

type Options = NonNullable<ParseArgsConfig['options']>;

/** Command-line options; what is not understood is an error of the caller, with exit code 2. */
export function parseOptions<T extends Options>(options: T) {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    throw new FlashpodError('process.arguments', messageOf(error), { cause: error });
  }
}

/** Runs `main` to its exit code. Errors are told in words; only ours to fix come with a stack. */
export function run(main: () => Promise<ExitCode>, usage: string): void {
  main().then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      const known = error instanceof FlashpodError ? error : undefined;
      const stack = error instanceof Error ? error.stack : undefined;
      const help = known?.code === 'process.arguments' ? usage : known?.remedy;
      process.stderr.write(
        `${known?.message ?? stack ?? messageOf(error)}\n${help === undefined ? '' : `${help}\n`}`,
      );
      process.exitCode = known?.exitCode ?? Exit.internal;
    },
  );
}

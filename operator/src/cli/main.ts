// The `flashpod` command: what there is to do is in commands/.

import { CommanderError } from 'commander';
import { Exit, FlashpodError, messageOf } from '../errors.js';
import { complete } from './commands/completion.js';
import { commands } from './commands/index.js';
import { programOf } from './program.js';

try {
  const [, , first, ...words] = process.argv;
  // Asked by a shell with every key: no parser, no help.
  if (first === '__complete') await complete(commands, words);
  else await programOf(commands).parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? Exit.ok : Exit.usage;
  } else {
    process.stderr.write(`flashpod: ${messageOf(error)}\n`);
    if (error instanceof FlashpodError) process.stderr.write(`${error.remedy}\n`);
    process.exitCode = error instanceof FlashpodError ? error.exitCode : Exit.internal;
  }
}

// Every command of `flashpod`, in the order of its help.

import { accountCommand } from './account.js';
import { applyCommand } from './apply.js';
import { completionCommand } from './completion.js';
import { describeCommand } from './describe.js';
import { getCommand } from './get.js';
import { haltCommand } from './halt.js';
import { initCommand, schemaCommand } from './init.js';
import { logsCommand } from './logs.js';
import { statusCommand } from './status.js';
import type { Command } from './table.js';
import { upCommand } from './up.js';

export type { Command } from './table.js';

export const commands: readonly Command[] = [
  upCommand,
  initCommand,
  schemaCommand,
  applyCommand,
  statusCommand,
  getCommand,
  describeCommand,
  logsCommand,
  haltCommand,
  accountCommand,
  completionCommand,
];

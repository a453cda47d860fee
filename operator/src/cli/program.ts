// The parser, made from the table of commands.

import { Argument, Option, Command as Parser } from 'commander';
import { Exit } from '../errors.js';
import type { Command } from './commands/index.js';
import { type Flag, flagsOf } from './commands/table.js';

const collect = (value: string, former: string[] = []): string[] => [...former, value];

function optionOf({ flags, description, default: value, choices, repeatable, required }: Flag): Option {
  const option = new Option(flags, description);
  if (choices !== undefined) option.choices([...choices]);
  if (value !== undefined) option.default(value);
  if (repeatable) option.argParser(collect);
  return option.makeOptionMandatory(required ?? false);
}

function parserOf(command: Command): Parser {
  const parser = new Parser(command.name).description(command.summary);
  for (const { name, description, optional, default: value } of command.arguments ?? []) {
    const argument = new Argument(optional ? `[${name}]` : `<${name}>`, description);
    parser.addArgument(value === undefined ? argument : argument.default(value));
  }
  for (const flag of flagsOf(command)) parser.addOption(optionOf(flag));
  if (command.examples)
    parser.addHelpText('after', `\nExamples:\n${command.examples.map((one) => `  ${one}`).join('\n')}`);
  return parser.action(async (...given: unknown[]) => {
    const args = given.slice(0, command.arguments?.length ?? 0) as (string | undefined)[];
    await command.run(given[args.length], args);
  });
}

export function programOf(commands: readonly Command[]): Parser {
  const program = new Parser('flashpod')
    .description('Runs trading strategies beside an exchange: locally, or on Kubernetes.')
    .exitOverride()
    .addHelpText(
      'after',
      `\nExit codes: ${Exit.ok} done, ${Exit.refused} refused (the reason is printed), ${Exit.usage} wrong usage, ` +
        `${Exit.unavailable} not reachable, ${Exit.conflict} conflict, ${Exit.notFound} not found.`,
    );
  for (const command of commands) {
    const parser = parserOf(command);
    parser.copyInheritedSettings(program);
    program.addCommand(parser);
  }
  return program;
}

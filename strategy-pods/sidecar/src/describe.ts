#!/usr/bin/env node
// node describe.js DIR: what the package in DIR is, as JSON on stdout: name, version, description, parameter schema.

import { StrategyError } from '@flashpod/sdk';
import { describeStrategy, strategyOf } from './package.js';

try {
  const [folder] = process.argv.slice(2);
  if (folder === undefined)
    throw new StrategyError('BAD_ARGUMENT', 'no folder is given; accepted: describe.js DIR');
  const text = JSON.stringify(describeStrategy(await strategyOf(folder)));
  // Whatever the package has started must not keep this process.
  process.stdout.write(`${text}\n`, () => process.exit(0));
} catch (error) {
  if (!(error instanceof StrategyError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}

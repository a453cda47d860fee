import { expect, test } from 'vitest';
import { notAccepted } from './spdx.ts';

const accepted = new Set(['MIT', 'Apache-2.0', 'Apache-2.0 WITH LLVM-exception', 'BSD-3-Clause']);

test.each([
  'MIT',
  'GPL-3.0-only OR MIT',
  'MIT/Apache-2.0',
  'Apache-2.0 / MIT',
  '(Apache-2.0 AND BSD-3-Clause)',
  '(MIT OR GPL-2.0-only) AND Apache-2.0',
  'Apache-2.0 WITH LLVM-exception',
  'MIT OR Apache-2.0 OR LGPL-2.1-or-later',
])('%s is accepted', (expression) => {
  expect(notAccepted(expression, accepted)).toEqual([]);
});

test.each([
  ['GPL-3.0-only', ['GPL-3.0-only']],
  ['MIT AND GPL-3.0-only', ['GPL-3.0-only']],
  ['MIT OR Apache-2.0 AND GPL-3.0-only', []],
  ['(MIT OR Apache-2.0) AND GPL-3.0-only', ['GPL-3.0-only']],
  ['GPL-2.0-only WITH Classpath-exception-2.0', ['GPL-2.0-only WITH Classpath-exception-2.0']],
  ['LGPL-2.1-only OR GPL-2.0-only', ['LGPL-2.1-only', 'GPL-2.0-only']],
  ['SEE LICENSE IN LICENCE.txt', ['SEE LICENSE IN LICENCE.txt']],
  ['UNLICENSED', ['UNLICENSED']],
  ['(MIT', ['(MIT']],
  ['', ['']],
])('%s names what stands in the way', (expression, found) => {
  expect(notAccepted(expression, accepted)).toEqual(found);
});

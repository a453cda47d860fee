import { expect, test } from 'vitest';
import { mergePatchOf } from './merge-patch.js';

test.each([
  ['nothing changed', { a: 1, b: [{ c: 1 }] }, { b: [{ c: 1 }], a: 1 }, undefined],
  ['a field is new', { a: 1 }, { a: 1, b: 2 }, { b: 2 }],
  ['a field is gone', { a: 1, b: 2 }, { a: 1 }, { b: null }],
  ['only what changed inside travels', { a: { b: 1, c: 1 } }, { a: { b: 2, c: 1 } }, { a: { b: 2 } }],
  ['lists are replaced whole', { a: [1, 2] }, { a: [1] }, { a: [1] }],
  ['an object takes the place of text', { a: 'x' }, { a: { b: 1 } }, { a: { b: 1 } }],
  ['there was nothing', undefined, { a: 1 }, { a: 1 }],
])('%s', (_, before, after, patch) => {
  expect(mergePatchOf(before, after)).toEqual(patch);
});

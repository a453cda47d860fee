import { expect, test } from 'vitest';
import { fit, rowsOf } from './display.js';

test('a table is cut to the terminal, with a row left for the cursor', () => {
  expect(fit(['abcdef', 'gh', 'ij'], 4, 3)).toEqual(['abc', 'gh']);
});

test('lines drawn before a terminal became narrower take more rows now', () => {
  expect(rowsOf(['', 'abcdef', 'ab'], 3)).toBe(1 + 2 + 1);
});

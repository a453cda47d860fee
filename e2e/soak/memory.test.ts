import { expect, test } from 'vitest';
import { growth, median, memoryOf } from './memory.ts';

test('a process that is there has memory, one that is not has none', () => {
  const own = memoryOf(process.pid);
  expect(own?.rssKb).toBeGreaterThan(own?.anonymousKb ?? Number.POSITIVE_INFINITY);
  expect(memoryOf(2 ** 30)).toBeUndefined();
  expect(memoryOf(undefined)).toBeUndefined();
});

test('what grows is seen, a moment is not', () => {
  expect(growth([100, 100, 100, 100, 100, 100])).toBe(0);
  expect(growth([100, 100, 100, 103, 103, 103])).toBe(3);
  expect(growth([100, 500, 100, 100, 100, 100])).toBe(0);
});

test('of an even number the upper of the two in the middle is the median', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(3);
});

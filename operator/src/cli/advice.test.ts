import { expect, test } from 'vitest';
import { whatToDo } from './advice.js';

const condition = (type: string, status: 'True' | 'False', reason: string) => ({
  type,
  status,
  reason,
  message: '',
  lastTransitionTime: '2026-01-01T00:00:00Z',
});

test('a strategy that trades needs nobody, one that cannot get flat does', () => {
  const ready = condition('Ready', 'True', 'Trading');
  expect(whatToDo([ready, condition('Flat', 'False', 'Trading')])).toEqual([]);
  expect(whatToDo([ready, condition('Flat', 'False', 'FlattenStuck')])).toEqual([
    expect.stringContaining('trading.flashpod.dev/abandon'),
  ]);
});

test('a strategy that failed, and a reason of another version, are no “nothing”', () => {
  expect(whatToDo([condition('Ready', 'False', 'StrategyFailed')])).toEqual([
    expect.stringContaining('delete its pod'),
  ]);
  expect(whatToDo([condition('Ready', 'False', 'OfTomorrow')])).toEqual([
    'See the message of condition Ready',
  ]);
});

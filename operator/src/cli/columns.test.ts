import { kinds } from '@flashpod/crds';
import { expect, test } from 'vitest';
import { age, alignColumns, cell, columnsOf, evaluate } from './columns.js';

test('every kind has columns, and each can be evaluated', () => {
  for (const kind of Object.keys(kinds) as (keyof typeof kinds)[]) {
    const columns = columnsOf(kind);
    expect(columns.length).toBeGreaterThan(0);
    for (const column of columns) expect(cell(column, {}, 0)).toBe('');
  }
});

test('paths go through fields, indexes and conditions', () => {
  const object = { status: { conditions: [{ type: 'Ready', status: 'True' }], list: ['a', 'b'] } };
  expect(evaluate('.status.conditions[?(@.type=="Ready")].status', object)).toBe('True');
  expect(evaluate('.status.list[1]', object)).toBe('b');
  expect(evaluate('.status.list[*]', object)).toBe('a,b');
  expect(evaluate('.status.none.deeper', object)).toBeUndefined();
});

test('ages read as kubectl writes them', () => {
  const at = (seconds: number) =>
    age('2026-01-01T00:00:00Z', Date.parse('2026-01-01T00:00:00Z') + seconds * 1_000);
  expect([45, 600, 11_100, 200_000].map(at)).toEqual(['45s', '10m', '3h5m', '2d']);
  expect(age(undefined, 0)).toBe('<unknown>');
});

test('columns are as wide as their content', () => {
  expect(
    alignColumns([
      ['NAME', 'X'],
      ['long-name', 'y'],
    ]),
  ).toEqual(['NAME        X', 'long-name   y']);
});

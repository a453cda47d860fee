import { expect, it } from 'vitest';
import { Bindings, differences } from './transcript/match.ts';

const uid = (digit: number) => `${digit}0000000-0000-4000-8000-000000000000`;

it('what a recording calls by one number is one value, and by two numbers two', () => {
  const bindings = new Bindings();
  expect(differences(bindings, ['<uid:1>', '<uid:2>', '<uid:1>'], [uid(1), uid(2), uid(1)])).toEqual([]);
  expect(differences(bindings, ['<uid:1>'], [uid(2)])).toHaveLength(1);
  expect(differences(bindings, ['<uid:3>'], [uid(1)])).toHaveLength(1);
});

it('a list may have the version of an object in it', () => {
  expect(differences(new Bindings(), ['<rv:1>', '<rv:2>'], ['7', '7'])).toEqual([]);
});

it('what is missing, what is more, and what has another form is a difference', () => {
  const recorded = { time: '<time>', list: [1, 2], gone: true };
  const actual = { time: 'yesterday', list: [1, 2, 3], more: null };
  expect(differences(new Bindings(), recorded, actual).map(({ path }) => path)).toEqual([
    '.time',
    '.list[2]',
    '.gone',
    '.more',
  ]);
});

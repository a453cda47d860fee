import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { lastWords } from './last-words.js';

const folder = mkdtempSync(join(tmpdir(), 'flashpod-last-words-'));
const file = join(folder, 'log');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('what a run wrote is told, and nothing of the run before', () => {
  writeFileSync(file, 'before\none\ntwo\n');
  expect(lastWords(file, 7)).toBe('one\ntwo');
  expect(lastWords(file, 15)).toBe('');
});

test('of a long log the last 80 lines and 2048 bytes are told', () => {
  writeFileSync(file, `${Array.from({ length: 100 }, (_, n) => n).join('\n')}\n`);
  expect(lastWords(file, 0).split('\n')).toHaveLength(80);
  writeFileSync(file, 'x'.repeat(5_000));
  expect(lastWords(file, 0)).toHaveLength(2_048);
});

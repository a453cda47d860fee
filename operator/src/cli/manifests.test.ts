import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { readManifests } from './manifests.js';

vi.mock('node:fs', { spy: true });
const folder = mkdtempSync(join(tmpdir(), 'fpm-'));
afterAll(() => rmSync(folder, { recursive: true }));

it.each([
  ['is not there', 'ENOENT', 'a manifest file that exists, or - for standard input'],
  ['is not for us to read', 'EACCES', 'a manifest file that can be read (EACCES)'],
  ['is on a disk that fails', 'EIO', 'a manifest file that can be read (EIO)'],
])('a manifest that %s is refused in words', (_, code, accepted) => {
  vi.mocked(readFileSync).mockImplementationOnce(() => {
    throw Object.assign(new Error(`${code}: of the system, open 'm.yaml'`), { code });
  });
  expect(() => readManifests('m.yaml')).toThrow(`-f: "m.yaml" is not accepted: give ${accepted}`);
});

it('a folder is refused in words', () => {
  expect(() => readManifests(folder)).toThrow('is not accepted: give a file; repeat -f for several');
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { describeStrategy, strategyOf } from './package.js';
import { chosenStrategy } from './registry.js';

const root = mkdtempSync(join(tmpdir(), 'flashpod-package-'));
afterAll(() => rmSync(root, { recursive: true }));
let packages = 0;

function make(files: Record<string, string>): string {
  packages += 1;
  const folder = join(root, `p${packages}`);
  mkdirSync(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

const manifest = '{"name":"x","type":"module","exports":"./main.js"}';
const built = fileURLToPath(new URL('../../strategies/imbalance-maker', import.meta.url));

test.each([
  ['exports as text', manifest],
  [
    'exports per condition',
    '{"type":"module","exports":{".":{"types":"./main.d.ts","default":"./main.js"}}}',
  ],
  ['main', '{"type":"module","main":"main.js"}'],
])('a strategy is the default export of the main module: %s', async (_, packageJson) => {
  const text =
    'const parameters = { safeParse() {} };\n' +
    "export default { name: 'x', version: '1', description: 'y', parameters, memory() {} };\n";
  const folder = make({ 'package.json': packageJson, 'main.js': text });
  expect(await strategyOf(folder)).toMatchObject({ name: 'x', version: '1' });
});

test('what it is can be told without running it', async () => {
  expect(describeStrategy(await strategyOf(built))).toMatchObject({
    name: 'imbalance-maker',
    version: '1.0.0',
    schema: { title: 'Parameters of imbalance-maker', type: 'object', additionalProperties: false },
  });
});

test('the name in the manifest must be that of the strategy in the package', async () => {
  expect(await chosenStrategy({ strategy: 'imbalance-maker', package: built })).toHaveProperty('onBook');
  await expect(chosenStrategy({ strategy: 'other', package: built })).rejects.toThrow(
    `strategy "other" is not in package ${built}; accepted: imbalance-maker`,
  );
});

test.each([
  [{}, 'has no package.json'],
  [{ 'package.json': '{' }, 'has a package.json that is no JSON'],
  [{ 'package.json': '{}' }, 'names no module under "exports" or "main"'],
  [{ 'package.json': manifest }, 'is not built: its main module ./main.js is missing'],
  [{ 'package.json': manifest, 'main.js': 'throw new Error("broken")' }, 'cannot be loaded: broken'],
  [
    { 'package.json': manifest, 'main.js': 'export const x = 1' },
    'exports no strategy as default: it is undefined',
  ],
  [
    {
      'package.json': manifest,
      'main.js': 'export default { name: "A b", parameters: {}, timerMs: 0, onBook: 3 }',
    },
    'exports no strategy as default: name is "A b"; accepted: at most 63 of a-z, 0-9 and -; version is no text; description is no text; ' +
      'parameters is no zod schema; memory is no function; timerMs is no number from 1; onBook is no function',
  ],
])('a package that is none is refused with the reason: %j', async (files, reason) => {
  const folder = make(files as Record<string, string>);
  await expect(strategyOf(folder)).rejects.toMatchObject({
    code: 'BAD_PACKAGE',
    message: expect.stringContaining(`package ${folder} ${reason}`),
  });
});

test('a folder that does not exist is refused', async () => {
  await expect(strategyOf('/no/such/folder')).rejects.toThrow('package /no/such/folder is no folder');
});

import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TradingStrategy } from '@flashpod/crds';
import { afterAll, expect, test } from 'vitest';
import { readManifests } from '../manifests.js';
import { checkout } from '../up/checkout.js';
import { initProject } from './index.js';

const root = mkdtempSync(join(tmpdir(), 'flashpod-init-'));
afterAll(() => rmSync(root, { recursive: true }));

test('makes package, strategy, test and manifest under one name, referring to this checkout by file:', () => {
  const { folder, files } = initProject('my-strategy', root);
  expect(files).toEqual(
    expect.arrayContaining([
      'package.json',
      'manifest.yaml',
      'src/index.ts',
      'src/index.test.ts',
      '.gitignore',
    ]),
  );
  const read = (file: string) => readFileSync(join(folder, file), 'utf8');
  for (const file of files) expect(read(file)).not.toContain('__NAME__');
  const { name, dependencies, devDependencies } = JSON.parse(read('package.json'));
  expect(name).toBe('my-strategy');
  expect(dependencies['@flashpod/sdk']).toMatch(/^file:\/.*strategy-pods\/sdk$/);
  for (const version of [devDependencies.node, devDependencies.typescript])
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  const [manifest] = readManifests(join(folder, 'manifest.yaml'));
  expect((manifest as unknown as TradingStrategy).spec).toMatchObject({
    strategy: 'my-strategy',
    image: 'my-strategy:0.1.0',
    parametersSchemaRef: { name: 'my-strategy-schema' },
  });
});

test('a name that YAML would read as something else stays a name', () => {
  const [manifest] = readManifests(join(initProject('123', root).folder, 'manifest.yaml'));
  expect(manifest?.metadata.name).toBe('123');
});

test.each([
  [
    'My_Strategy',
    /NAME: "My_Strategy" is not accepted: give at most 63 of a-z, 0-9 and -, .*e\.g\. my-strategy/,
  ],
  ['', /NAME: "" is not accepted/],
  ['-a', /e\.g\. a$/],
  ['../up', /e\.g\. up$/],
  ['a/b', /e\.g\. a-b$/],
  ['x'.repeat(64), /at most 63/],
  ['x'.repeat(10_000), /NAME: "x{100}" is not accepted/],
  ['node_modules', /another name than node_modules/],
])('refuses the name %j and says what is accepted', (name, message) => {
  const before = readdirSync(root);
  expect(() => initProject(name, root)).toThrow(message);
  expect(readdirSync(root)).toEqual(before);
});

test('nothing is made inside the checkout, which would take it for a part of its own', () => {
  expect(() => initProject('mine', checkout)).toThrow(/NAME: "mine" .* outside of the checkout/);
  expect(existsSync(join(checkout, 'mine'))).toBe(false);
});

test('takes an empty folder, and leaves one alone in which something is', () => {
  mkdirSync(join(root, 'empty'));
  expect(initProject('empty', root).files.length).toBeGreaterThan(5);
  mkdirSync(join(root, 'full'));
  writeFileSync(join(root, 'full', 'notes'), 'mine');
  expect(() => initProject('full', root)).toThrow(/full exists and is not an empty folder/);
  writeFileSync(join(root, 'file'), 'mine');
  expect(() => initProject('file', root)).toThrow(/file exists and is not an empty folder/);
  expect(readFileSync(join(root, 'full', 'notes'), 'utf8')).toBe('mine');
});

test('a folder that cannot be written is named', () => {
  // Whoever may write everywhere is stopped by a file in the way instead.
  const parent = join(root, 'locked');
  if (process.getuid?.() === 0) writeFileSync(parent, '');
  else {
    mkdirSync(parent);
    chmodSync(parent, 0o500);
  }
  expect(() => initProject('mine', parent)).toThrow(/locked\/mine cannot be written: E(ACCES|NOTDIR)/);
});

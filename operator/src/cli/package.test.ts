import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { describePackage, readPackage, readPackages, schemaManifest } from './package.js';
import { checkout } from './up/checkout.js';

const root = mkdtempSync(join(tmpdir(), 'flashpod-own-'));
afterAll(() => rmSync(root, { recursive: true }));
const builtIn = join(checkout, 'strategy-pods/strategies/imbalance-maker');
let packages = 0;

/** A package that is the built-in maker under its own roof, with this manifest. */
function make(
  manifest: string | undefined,
  main = `export { default } from '${builtIn}/dist/index.js';`,
): string {
  packages += 1;
  const folder = join(root, `p${packages}`);
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{"type":"module","exports":"./main.js"}');
  writeFileSync(join(folder, 'main.js'), main);
  if (manifest !== undefined) writeFileSync(join(folder, 'manifest.yaml'), manifest);
  return folder;
}

const manifest = (spec: object) =>
  JSON.stringify({
    apiVersion: 'trading.flashpod.dev/v1alpha1',
    kind: 'TradingStrategy',
    metadata: { name: 'mine' },
    spec: {
      strategy: 'imbalance-maker',
      image: 'desk:5000/mine:1',
      parametersSchemaRef: { name: 'mine-schema' },
      ...spec,
    },
  });

test('a package is its folder, its images, its manifest, and a ConfigMap with the schema', async () => {
  const folder = make(manifest({}));
  const { repositories, manifests } = await readPackage(folder);
  expect(repositories).toEqual(['desk:5000/mine']);
  expect(manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
    'ConfigMap mine-schema',
    'TradingStrategy mine',
  ]);
  const [{ data } = {}] = manifests as readonly { data?: Record<string, string> }[];
  expect(JSON.parse(data?.['schema.json'] ?? '')).toMatchObject({
    properties: { orderNotional: { default: '50' } },
  });
});

test('what a package prints while it is loaded is no part of the answer', async () => {
  const main = `console.log('hello'); export { default } from '${builtIn}/dist/index.js';`;
  expect(await describePackage(make(undefined, main))).toMatchObject({ name: 'imbalance-maker' });
});

test('packages that run side by side have names and images of their own', async () => {
  const [one, two] = [make(manifest({})), make(manifest({}))];
  await expect(readPackages([one])).resolves.toHaveLength(1);
  await expect(readPackages([one, two])).rejects.toThrow(
    `${two}: spec.image desk:5000/mine is not accepted; accepted: a name of its own; that one is of ${one}`,
  );
  const other = make(manifest({ image: 'desk:5000/other:1' }));
  await expect(readPackages([one, other])).rejects.toThrow(`${other}: metadata.name mine is not accepted`);
  const core = make(manifest({ image: 'flashpod/core:1' }));
  await expect(readPackages([core])).rejects.toThrow('that one is of Flashpod itself');
});

test('the schema alone has a name that follows from the strategy', async () => {
  const { kind, metadata } = schemaManifest(await describePackage(builtIn));
  expect({ kind, metadata }).toEqual({
    kind: 'ConfigMap',
    metadata: {
      name: 'imbalance-maker-schema',
      labels: { 'trading.flashpod.dev/parameters-schema': '' },
    },
  });
});

test.each([
  [make(undefined), /has no manifest\.yaml with its TradingStrategy/],
  [make('apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }'), /holds no TradingStrategy/],
  [
    make(manifest({ strategy: 'other' })),
    /mine: spec\.strategy: "other" is not accepted; accepted: imbalance-maker/,
  ],
  [
    make(manifest({ image: undefined })),
    /mine: spec\.image: is missing; accepted: an image name, e\.g\. imbalance-maker:1\.0\.0/,
  ],
  [
    make(manifest({ parametersSchemaRef: undefined })),
    /spec\.parametersSchemaRef: is missing; accepted: \{ name: imbalance-maker-schema \}/,
  ],
  [make(manifest({}), 'throw new Error("broken")'), /package .* cannot be loaded: broken/],
  [make(manifest({}), 'process.exit(0)'), /ended before it said what it is/],
  [join(root, 'nowhere'), /has no package\.json/],
])('%s is refused with the reason', async (folder, reason) => {
  await expect(readPackage(folder)).rejects.toMatchObject({
    code: 'cli.package',
    message: expect.stringMatching(reason),
  });
});

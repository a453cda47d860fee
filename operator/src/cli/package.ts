// A strategy of the user's own: a built package in a folder, with a manifest that names its image.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TradingStrategy } from '@flashpod/crds';
import { labels } from '../api/names.js';
import { FlashpodError } from '../errors.js';
import { repositoryOf } from '../local/index.js';
import { type Manifest, readManifests } from './manifests.js';
import { checkout } from './up/checkout.js';

/** What the sidecar says of the package: see strategy-pods/sidecar/src/describe.ts. */
interface Description {
  readonly name: string;
  readonly version: string;
  readonly schema: object;
}

export interface StrategyPackage {
  readonly folder: string;
  readonly name: string;
  /** Image repositories under which its manifest names it. */
  readonly repositories: readonly string[];
  /** Its manifest, with a ConfigMap for each schema that a TradingStrategy refers to. */
  readonly manifests: readonly Manifest[];
}

const describeWithinMs = 20_000;
const sidecar = (script: string): string => join(checkout, 'strategy-pods/sidecar/dist', script);

/** The command that stands for an image with the package in it. */
export function packageCommand(folder: string): [string, ...string[]] {
  return [process.execPath, sidecar('main.js'), '--package', folder];
}

/** Asks the package what it is, in a process of its own: whatever its module does on import is no business of ours. */
export async function describePackage(folder: string): Promise<Description> {
  const run = promisify(execFile);
  try {
    const { stdout } = await run(process.execPath, [sidecar('describe.js'), folder], {
      timeout: describeWithinMs,
    });
    // The last line is the answer; what is before it, the package itself has printed.
    return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Description;
  } catch (error) {
    const { stderr, killed } = error as { stderr?: string; killed?: boolean };
    const reason = killed
      ? `package ${folder} did not say within ${describeWithinMs / 1_000} s what it is`
      : error instanceof SyntaxError
        ? `package ${folder} ended before it said what it is: its main module must not call process.exit`
        : stderr?.trim() || (error as Error).message;
    throw new FlashpodError('cli.package', reason, { cause: error });
  }
}

/** The ConfigMap that carries the schema of a strategy's parameters. */
export function schemaManifest(
  { name, schema }: Description,
  configMap = `${name}-schema`,
  key = 'schema.json',
): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: configMap, labels: { [labels.parametersSchema]: '' } },
    data: { [key]: `${JSON.stringify(schema, null, 2)}\n` },
  };
}

function manifestFile(folder: string): string {
  const file = join(folder, 'manifest.yaml');
  if (existsSync(file)) return file;
  throw new FlashpodError('cli.package', `package ${folder} has no manifest.yaml with its TradingStrategy`);
}

/** Reads a package: what it is, what its manifest wants, and whether the two fit. */
export async function readPackage(folder: string): Promise<StrategyPackage> {
  if (!existsSync(join(folder, 'package.json')))
    throw new FlashpodError('cli.package', `package ${folder} has no package.json`);
  const file = manifestFile(folder);
  const manifests = readManifests(file);
  const description = await describePackage(folder);
  const strategies = manifests
    .filter(({ kind }) => kind === 'TradingStrategy')
    .map(({ metadata, spec }) => ({ metadata, spec: (spec ?? {}) as Partial<TradingStrategy['spec']> }));
  if (strategies.length === 0) throw new FlashpodError('cli.package', `${file} holds no TradingStrategy`);
  for (const { metadata, spec } of strategies) {
    const refuse = (field: string, value: unknown, accepted: string) => {
      const found = value === undefined ? 'is missing' : `${JSON.stringify(value)} is not accepted`;
      throw new FlashpodError(
        'cli.package',
        `${file}: ${metadata.name}: spec.${field}: ${found}; accepted: ${accepted}`,
      );
    };
    if (spec.strategy !== description.name)
      refuse('strategy', spec.strategy, `${description.name}, as the package has it`);
    if (spec.image === undefined)
      refuse('image', undefined, `an image name, e.g. ${description.name}:${description.version}`);
    if (spec.parametersSchemaRef === undefined)
      refuse('parametersSchemaRef', undefined, `{ name: ${description.name}-schema }`);
  }
  const schemas = new Map(
    strategies.map(({ spec: { parametersSchemaRef: ref } }) => [
      ref?.name,
      schemaManifest(description, ref?.name, ref?.key),
    ]),
  );
  return {
    folder,
    name: description.name,
    repositories: [...new Set(strategies.map(({ spec }) => repositoryOf(spec.image ?? '')))],
    manifests: [...schemas.values(), ...manifests],
  };
}

/** Images that are ours: a package of the same name would run in their place. */
const ours = ['flashpod/core', 'flashpod/agent', 'flashpod/sidecar'];

/** Reads packages that are to run side by side: what names a strategy or its program must name one only. */
export async function readPackages(folders: readonly string[]): Promise<StrategyPackage[]> {
  const packages = await Promise.all(folders.map(readPackage));
  const taken = new Map(ours.map((image) => [`spec.image ${image}`, 'Flashpod itself']));
  for (const { folder, repositories, manifests } of packages) {
    const strategies = manifests.filter(({ kind }) => kind === 'TradingStrategy');
    const names = [
      ...repositories.map((image) => `spec.image ${image}`),
      ...strategies.map(({ metadata }) => `metadata.name ${metadata.name}`),
    ];
    for (const name of names) {
      const other = taken.get(name);
      if (other !== undefined) {
        const accepted = `a name of its own; that one is of ${other}`;
        throw new FlashpodError('cli.package', `${folder}: ${name} is not accepted; accepted: ${accepted}`);
      }
      taken.set(name, folder);
    }
  }
  return packages;
}

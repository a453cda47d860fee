// A strategy that is no built-in one: a package in a folder, beside the sidecar in its image.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type AnyStrategy, parametersSchema, StrategyError } from '@flashpod/sdk';

const callbacks = ['onStart', 'onBook', 'onTrade', 'onOrder', 'onTimer', 'onStop'] as const;
/** Of TradingStrategy.spec.strategy. */
const namePattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

const refuse = (folder: string, reason: string, cause?: unknown): StrategyError =>
  new StrategyError('BAD_PACKAGE', `package ${folder} ${reason}`, cause === undefined ? {} : { cause });

/** The strategy that the main module of the package in `folder` exports as default. */
export async function strategyOf(folder: string): Promise<AnyStrategy> {
  const entry = entryOf(resolve(folder));
  let module: { readonly default?: unknown };
  try {
    module = (await import(pathToFileURL(entry).href)) as typeof module;
  } catch (cause) {
    throw refuse(folder, `cannot be loaded: ${(cause as Error).message}`, cause);
  }
  const faults = faultsOf(module.default);
  if (faults.length === 0) return module.default as AnyStrategy;
  throw refuse(folder, `exports no strategy as default: ${faults.join('; ')}`);
}

/** What others must know of a strategy without running it. */
export interface Description {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  /** JSON schema of the parameters. */
  readonly schema: object;
}

export function describeStrategy(strategy: AnyStrategy): Description {
  const { name, version, description } = strategy;
  const { $schema, ...schema } = parametersSchema(strategy);
  return {
    name,
    version,
    description,
    schema: { $schema, title: `Parameters of ${name}`, description, ...schema },
  };
}

/** The file behind the package's main export. */
function entryOf(folder: string): string {
  const manifest = join(folder, 'package.json');
  if (!existsSync(folder) || !statSync(folder).isDirectory()) throw refuse(folder, 'is no folder');
  if (!existsSync(manifest)) throw refuse(folder, 'has no package.json');
  let main: unknown;
  try {
    const { exports, main: old } = JSON.parse(readFileSync(manifest, 'utf8')) as {
      exports?: unknown;
      main?: unknown;
    };
    main = mainExport(exports) ?? old;
  } catch (cause) {
    throw refuse(folder, `has a package.json that is no JSON: ${(cause as Error).message}`, cause);
  }
  if (typeof main !== 'string')
    throw refuse(folder, 'names no module under "exports" or "main" in its package.json');
  const entry = join(folder, main);
  if (!existsSync(entry)) throw refuse(folder, `is not built: its main module ${main} is missing`);
  return entry;
}

function mainExport(exports: unknown): unknown {
  if (typeof exports !== 'object' || exports === null) return exports;
  const { '.': main, import: esm, default: any } = exports as Record<string, unknown>;
  return main === undefined ? (esm ?? any) : mainExport(main);
}

function faultsOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [`it is ${value === null ? 'null' : typeof value}`];
  const { name, version, description, parameters, memory, timerMs, ...rest } = value as Record<
    string,
    unknown
  >;
  const isSchema = typeof (parameters as { safeParse?: unknown } | undefined)?.safeParse === 'function';
  return [
    ...(typeof name === 'string' && namePattern.test(name)
      ? []
      : [`name is ${JSON.stringify(name)}; accepted: at most 63 of a-z, 0-9 and -`]),
    ...(typeof version === 'string' ? [] : ['version is no text']),
    ...(typeof description === 'string' ? [] : ['description is no text']),
    ...(isSchema ? [] : ['parameters is no zod schema']),
    ...(typeof memory === 'function' ? [] : ['memory is no function']),
    ...(timerMs === undefined || (typeof timerMs === 'number' && timerMs >= 1)
      ? []
      : ['timerMs is no number from 1']),
    ...callbacks
      .filter((callback) => rest[callback] !== undefined && typeof rest[callback] !== 'function')
      .map((callback) => `${callback} is no function`),
  ];
}

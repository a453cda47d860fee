// Strategy parameters: reading them with errors that name path, value and what is accepted, and their JSON schema.

import { z } from 'zod';
import { StrategyError } from './errors.js';
import type { StrategyDefinition } from './strategy.js';

type Schema = { readonly [key: string]: unknown };

/** Positive decimal text as manifests carry it: at most 15 whole digits and 8 decimals. */
export function decimalParameter() {
  return z.string().regex(/^(?!0(\.0+)?$)(0|[1-9][0-9]{0,14})(\.[0-9]{1,8})?$/);
}

/** JSON schema (draft 7) of what a manifest may give; defaults are filled in later, so nothing is required. */
export function parametersSchema(definition: { readonly parameters: z.ZodType }): Schema {
  return z.toJSONSchema(definition.parameters, { io: 'input', target: 'draft-7' });
}

/** Reads `parameters` of a manifest as JSON text; throws BAD_PARAMETERS with one line per fault. */
export function parseParameters<P, M>(definition: StrategyDefinition<P, M>, json: string): P {
  const value = readJson(definition.name, json);
  const result = definition.parameters.safeParse(value);
  if (result.success) return result.data;
  const schema = parametersSchema(definition);
  const faults = result.error.issues.flatMap((issue) => describe(issue, value, schema));
  throw new StrategyError(
    'BAD_PARAMETERS',
    `parameters of strategy ${definition.name} are refused:\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
  );
}

function readJson(name: string, json: string): unknown {
  if (json.trim() === '') return {};
  try {
    return JSON.parse(json) ?? {};
  } catch (cause) {
    throw new StrategyError('BAD_PARAMETERS', `parameters of strategy ${name} are not JSON`, { cause });
  }
}

function describe(issue: z.core.$ZodIssue, value: unknown, schema: Schema): string[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    const accepted = Object.keys(schemaAt(schema, path)['properties'] ?? {}).join(', ');
    return issue.keys.map(
      (key) => `${['parameters', ...path, key].join('.')} is unknown; accepted: ${accepted}`,
    );
  }
  // A rule across parameters explains itself; the schema cannot.
  if (issue.code === 'custom') return [`${['parameters', ...path].join('.')}: ${issue.message}`];
  const found = path.reduce<unknown>((at, key) => (at as Schema | undefined)?.[key], value);
  const place = ['parameters', ...path].join('.');
  return [
    `${place} is ${JSON.stringify(found)}; accepted: ${acceptedBy(schemaAt(schema, path)) ?? issue.message}`,
  ];
}

function schemaAt(schema: Schema, path: readonly string[]): Schema {
  return path.reduce<Schema>(
    (at, key) => (at['properties'] as Record<string, Schema> | undefined)?.[key] ?? {},
    schema,
  );
}

function acceptedBy(schema: Schema): string | undefined {
  if (Array.isArray(schema['enum'])) return schema['enum'].map((one) => JSON.stringify(one)).join(' or ');
  if (schema['pattern'] !== undefined) return `text that matches ${schema['pattern']}`;
  if (schema['type'] === undefined) return undefined;
  const bounds = [
    ['minimum', 'at least'],
    ['exclusiveMinimum', 'above'],
    ['maximum', 'at most'],
    ['exclusiveMaximum', 'below'],
  ].flatMap(([keyword = '', words]) =>
    schema[keyword] === undefined ? [] : [`${words} ${schema[keyword]}`],
  );
  return [schema['type'], ...bounds].join(' ');
}

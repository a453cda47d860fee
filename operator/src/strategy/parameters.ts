import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { reasons } from '../api/reasons.js';
import type { Problem } from './accept.js';
import { suggest } from './suggest.js';

/** Runs a check; how long it may take, and what it throws then, is the matter of whoever trusts the schemas. */
export type Bound = <T>(work: () => T) => T;

/** As many are told of; each is compared with all known names. */
const mostProblems = 20;

/** Checks the parameters of strategies against their JSON schemas. Schemas are compiled once. */
export class ParameterChecks {
  readonly #schemas: Readonly<Record<string, object>>;
  readonly #bound: Bound;
  readonly #compiled = new Map<string, ValidateFunction>();

  constructor(schemas: Readonly<Record<string, object>>, bound: Bound = (work) => work()) {
    this.#schemas = schemas;
    this.#bound = bound;
  }

  get strategies(): string[] {
    return Object.keys(this.#schemas).sort();
  }

  has(strategy: string): boolean {
    return Object.hasOwn(this.#schemas, strategy);
  }

  check(strategy: string, parameters: Record<string, unknown>): Problem[] {
    const validate = this.compile(strategy);
    if (this.#bound(() => validate(parameters))) return [];
    return (validate.errors ?? []).slice(0, mostProblems).map((error) => problemOf(error, parameters));
  }

  /** Throws when the schema is none. `check` does it too, once. */
  compile(strategy: string): ValidateFunction {
    const known = this.#compiled.get(strategy);
    if (known) return known;
    const schema = this.#schemas[strategy] ?? {};
    // zod writes draft 2020-12; older drafts name theirs in $schema too.
    const draft = '$schema' in schema && String(schema.$schema).includes('draft-07') ? Ajv : Ajv2020;
    const ajv = new draft({ allErrors: true, strict: false, verbose: true, logger: false });
    const validate = this.#bound(() => ajv.compile(schema));
    this.#compiled.set(strategy, validate);
    return validate;
  }
}

function problemOf(error: ErrorObject, parameters: Record<string, unknown>): Problem {
  const path = error.instancePath.split('/').slice(1).map(unescapePointer);
  const params = error.params as Record<string, unknown>;
  const at = (extra: string[] = []) => ['spec.parameters', ...path, ...extra].join('.');
  const problem = { reason: reasons.parameterInvalid };
  switch (error.keyword) {
    case 'additionalProperties': {
      const name = String(params['additionalProperty']);
      const known = Object.keys((error.parentSchema?.['properties'] as object | undefined) ?? {});
      const parent = path.reduce<unknown>(
        (value, key) => (value as Record<string, unknown>)[key],
        parameters,
      );
      const value = (parent as Record<string, unknown>)[name];
      return { ...problem, field: at([name]), value, accepted: suggest(name, known) };
    }
    case 'required':
      return {
        ...problem,
        field: at([String(params['missingProperty'])]),
        value: undefined,
        accepted: 'a value',
      };
    default:
      return { ...problem, field: at(), value: error.data, accepted: acceptedBy(error, params) };
  }
}

function acceptedBy(error: ErrorObject, params: Record<string, unknown>): string {
  switch (error.keyword) {
    case 'type':
      return `a value of type ${String(params['type'])}`;
    case 'enum':
      return (params['allowedValues'] as unknown[]).map((value) => JSON.stringify(value)).join(', ');
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return `a number ${String(params['comparison'])} ${String(params['limit'])}`;
    case 'pattern': {
      const example = error.parentSchema?.['default'];
      const hint = example === undefined ? '' : `, e.g. ${JSON.stringify(example)}`;
      return `text that matches ${String(params['pattern'])}${hint}`;
    }
    default:
      return error.message ?? error.keyword;
  }
}

const unescapePointer = (part: string) => part.replaceAll('~1', '/').replaceAll('~0', '~');

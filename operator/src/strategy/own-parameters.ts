// The parameters of a strategy that comes in an image of its own: its schema is data of the cluster.

import { createContext, Script } from 'node:vm';
import type { TradingStrategy } from '@flashpod/crds';
import { labels, stableJson } from '../api/names.js';
import { type Reason, reasons } from '../api/reasons.js';
import type { ConfigMap } from '../kube/index.js';
import type { Problem } from './accept.js';
import { type Bound, ParameterChecks } from './parameters.js';

/** Compiled once per text: a strategy is looked at again with every change of its figures. */
const compiled = new Map<string, ParameterChecks>();
/** Why a text is no schema, and how often it was tried: to compile it may take as long as a check. */
const failed = new Map<string, { readonly why: string; readonly tries: number }>();
const mostCompiled = 200;
const mostBytes = 256 * 1024;
/** A check takes microseconds. One that takes this long never ends: a pattern such as `^(a+)+$`. */
const withinMs = 500;

const room = createContext({ work: undefined as unknown });
const script = new Script('work()');

/** The schema is anybody's who may write a ConfigMap: what it makes of us to do must end. */
const bounded: Bound = <T>(work: () => T): T => {
  room['work'] = work;
  return script.runInContext(room, { timeout: withinMs }) as T;
};

/** What did not end so often does not end. Less may be the fault of the machine: a process that was stopped. */
const mostTries = 3;

/** Checks that say what kept them from their end, and are not begun for ever again for the same parameters. */
class BoundedChecks extends ParameterChecks {
  /** By parameters: several strategies may have this schema. */
  readonly #endless = new Map<string, { readonly problem: Problem; readonly tries: number }>();

  constructor(strategy: string, schema: object) {
    super({ [strategy]: schema }, bounded);
  }

  override check(strategy: string, parameters: Record<string, unknown>): Problem[] {
    const text = stableJson(parameters);
    const known = this.#endless.get(text);
    if (known !== undefined && known.tries >= mostTries) return [known.problem];
    try {
      const problems = super.check(strategy, parameters);
      this.#endless.delete(text);
      return problems;
    } catch (error) {
      const problem: Problem = {
        reason: reasons.parameterInvalid,
        field: 'spec.parameters',
        value: parameters,
        accepted: `what its schema can be checked with (${(error as Error).message.slice(0, 200)})`,
      };
      if (this.#endless.size >= mostCompiled) this.#endless.clear();
      this.#endless.set(text, { problem, tries: (known?.tries ?? 0) + 1 });
      return [problem];
    }
  }
}

/** What checks the parameters, or what is wrong with the schema that should. */
export function ownParameters(
  { strategy, parametersSchemaRef }: TradingStrategy['spec'],
  found: ConfigMap | undefined,
): ParameterChecks | Problem {
  const { name, key = 'schema.json' } = parametersSchemaRef ?? { name: '' };
  const problem = (reason: Reason, field: string, value: string, accepted: string): Problem => ({
    reason,
    field: `spec.parametersSchemaRef.${field}`,
    value,
    accepted,
  });
  if (found?.metadata?.labels?.[labels.parametersSchema] === undefined) {
    const accepted = `a ConfigMap of this namespace with the label ${labels.parametersSchema} (\`flashpod schema\` makes it)`;
    return problem(reasons.schemaNotFound, 'name', name, accepted);
  }
  const text = found.data?.[key];
  if (text === undefined) {
    const keys = Object.keys(found.data ?? {}).join(', ') || 'none, it is empty';
    return problem(reasons.schemaNotFound, 'key', key, `a key of ConfigMap ${name}: ${keys}`);
  }
  const id = `${strategy} ${text}`;
  const known = compiled.get(id);
  if (known !== undefined) return known;
  const before = failed.get(id) ?? { why: '', tries: 0 };
  const checks = before.tries >= mostTries ? before.why : compile(strategy, text);
  if (typeof checks === 'string') {
    if (failed.size >= mostCompiled) failed.clear();
    if (text.length <= mostBytes) failed.set(id, { why: checks, tries: before.tries + 1 });
    return problem(reasons.schemaInvalid, 'name', name, `a JSON schema under ${key} (${checks})`);
  }
  if (compiled.size >= mostCompiled) compiled.clear();
  compiled.set(id, checks);
  return checks;
}

/** The checks, or in words why the text is no schema. */
function compile(strategy: string, text: string): ParameterChecks | string {
  if (text.length > mostBytes) return `this one has ${text.length} bytes, at most ${mostBytes} are read`;
  try {
    const schema: unknown = JSON.parse(text);
    if (typeof schema !== 'object' || schema === null || Array.isArray(schema))
      return `this is ${stableJson(schema).slice(0, 40)}`;
    // Its answer would be a promise, which is none.
    if ('$async' in schema) return 'this one has $async, which is not accepted';
    const checks = new BoundedChecks(strategy, schema);
    // A schema that cannot be compiled is found here and not with the first parameters.
    checks.compile(strategy);
    return checks;
  } catch (error) {
    return (error as Error).message.slice(0, 200);
  }
}

import type { ASTNode, ParseResult } from '@marcbachmann/cel-js';
import { at, type FieldError, fieldError } from '../field-errors.js';
import { deepEqual, isObject, type Json, typeName } from '../json.js';
import { SchemaError } from '../schema/schema-error.js';
import type { SchemaNode } from '../schema/structural.js';
import { correlatedItem } from '../schema/validate.js';
import { baseEnvironment } from './environment.js';
import { unlistedIn } from './portable.js';
import { type CelType, declareType, optionalOf } from './values.js';

/** One entry of x-kubernetes-validations. */
export interface RuleSource {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?:
    | 'FieldValueInvalid'
    | 'FieldValueForbidden'
    | 'FieldValueRequired'
    | 'FieldValueDuplicate';
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
}

interface Rule {
  readonly source: RuleSource;
  readonly evaluate: ParseResult;
  readonly message: ParseResult | undefined;
  /** Compares with the stored value: runs on updates only, unless optionalOldSelf. */
  readonly isTransition: boolean;
}

export interface CompiledRules {
  readonly self: CelType;
  readonly rules: readonly Rule[];
}

const RULE_FIELDS = new Set([
  'rule',
  'message',
  'messageExpression',
  'reason',
  'fieldPath',
  'optionalOldSelf',
]);

/** Parses and type-checks rules; a rule that a cluster would refuse is refused here too, at load. */
export function compileRules(sources: readonly RuleSource[], node: SchemaNode, path: string): CompiledRules {
  const environment = baseEnvironment();
  // The root is the node that has metadata without being embedded: rules there may use self.metadata.name.
  const root = path.startsWith('openAPIV3Schema.x-kubernetes');
  const self = declareType(environment, node, 'Self', root);
  environment.registerVariable('self', self.name);
  const plain = environment.clone().registerVariable('oldSelf', self.name);
  const optional = environment.clone().registerVariable('oldSelf', `optional<${self.name}>`);

  const rules = sources.map((source, index): Rule => {
    const where = `${path}[${index}]`;
    for (const field of Object.keys(source)) {
      if (!RULE_FIELDS.has(field)) throw new SchemaError(where, `unknown field "${field}"`);
    }
    const scope = source.optionalOldSelf === true ? optional : plain;
    const evaluate = compile(() => scope.parse(source.rule), 'bool', `${where}.rule`, source.rule);
    const { messageExpression } = source;
    const message =
      messageExpression === undefined
        ? undefined
        : compile(
            () => scope.parse(messageExpression),
            'string',
            `${where}.messageExpression`,
            messageExpression,
          );
    return { source, evaluate, message, isTransition: mentions(evaluate.ast, 'oldSelf') };
  });
  return { self, rules };
}

function compile(
  parse: () => ParseResult,
  type: 'bool' | 'string',
  where: string,
  text: string,
): ParseResult {
  let parsed: ParseResult;
  try {
    parsed = parse();
  } catch (error) {
    throw new SchemaError(where, `cannot be read as CEL: ${firstLine(error)}: ${text}`);
  }
  const [unlisted] = unlistedIn(parsed.ast);
  if (unlisted !== undefined)
    throw new SchemaError(where, `uses ${unlisted}, which is not on the list of docs/cel.md: ${text}`);
  const checked = parsed.check();
  if (!checked.valid) throw new SchemaError(where, `${firstLine(checked.error)}: ${text}`);
  if (checked.type !== type && checked.type !== 'dyn')
    throw new SchemaError(where, `must give a ${type}, gives ${checked.type}: ${text}`);
  return parsed;
}

function mentions(value: unknown, name: string): boolean {
  if (Array.isArray(value)) return value.some((inner) => mentions(inner, name));
  if (typeof value !== 'object' || value === null || !('op' in value)) return false;
  const { op, args } = value as ASTNode;
  return op === 'id' ? args === name : mentions(args, name);
}

/** The rules of this node and of all within it. */
export function checkRules(node: SchemaNode, value: Json, old: Json | undefined, path: string): FieldError[] {
  if (value === null) return [];
  const errors: FieldError[] = [];
  if (node.rules !== undefined) errors.push(...failedRules(node.rules, value, old, path));
  const { items, additional } = node;
  if (Array.isArray(value) && items !== undefined) {
    for (const [index, item] of value.entries())
      errors.push(...checkRules(items, item, correlatedItem(node, old, item), at.index(path, index)));
  }
  if (isObject(value)) {
    const before = isObject(old) ? old : undefined;
    for (const [name, inner] of Object.entries(value)) {
      const property = node.properties.get(name);
      if (property !== undefined)
        errors.push(...checkRules(property, inner, before?.[name], at.child(path, name)));
      else if (additional !== undefined && additional !== true) {
        errors.push(...checkRules(additional, inner, before?.[name], at.key(path, name)));
      }
    }
  }
  return errors;
}

function failedRules(
  { self, rules }: CompiledRules,
  value: Json,
  old: Json | undefined,
  path: string,
): FieldError[] {
  const unchanged = old !== undefined && deepEqual(value, old);
  const applicable = rules.filter(({ source, isTransition }) => {
    if (isTransition) return old !== undefined || source.optionalOldSelf === true;
    return !unchanged;
  });
  if (applicable.length === 0) return [];
  const current = self.convert(value);
  const before = old === undefined || old === null ? undefined : self.convert(old);
  return applicable.flatMap((rule) => {
    const context = {
      self: current,
      oldSelf: rule.source.optionalOldSelf === true ? optionalOf(before) : before,
    };
    const problem = violation(rule, context, value, path);
    return problem === undefined ? [] : [problem];
  });
}

/** What to say if the rule does not hold. */
function violation(
  rule: Rule,
  context: Record<string, unknown>,
  value: Json,
  path: string,
): FieldError | undefined {
  const { source } = rule;
  try {
    if (rule.evaluate(context) === true) return undefined;
  } catch (error) {
    // Of a rule that cannot be evaluated, the API server shows the type of the value, not the value.
    const detail = `${firstLine(error)} evaluating rule: ${source.message ?? source.rule}`;
    return fieldError.invalid(path, typeName(value), detail);
  }
  const detail = messageFrom(rule, context) ?? source.message ?? `failed rule: ${source.rule}`;
  return toFieldError(source, value, detail, path);
}

/** An expression that fails, or gives nothing to show, falls back to the fixed message. */
function messageFrom(rule: Rule, context: Record<string, unknown>): string | undefined {
  try {
    const text: unknown = rule.message?.(context);
    return typeof text === 'string' && text.trim() !== '' && !text.includes('\n') ? text : undefined;
  } catch {
    return undefined;
  }
}

function toFieldError(source: RuleSource, value: Json, detail: string, path: string): FieldError {
  const field = source.fieldPath === undefined ? path : joinPath(path, source.fieldPath);
  switch (source.reason) {
    case 'FieldValueForbidden':
      return fieldError.forbidden(field, detail);
    case 'FieldValueRequired':
      return fieldError.required(field, detail);
    case 'FieldValueDuplicate':
      return fieldError.duplicate(field, value);
    default:
      return isObject(value) || Array.isArray(value)
        ? fieldError.invalidWhole(field, detail)
        : fieldError.invalid(field, value, detail);
  }
}

/** `.a.b` or `['a-b']` after a path. */
function joinPath(path: string, fieldPath: string): string {
  const dotted = fieldPath.replaceAll(/\['([^']*)'\]/g, '.$1');
  return path === '' ? dotted.slice(1) : path + dotted;
}

function firstLine(error: unknown): string {
  const { summary, message } = error as { summary?: string; message?: string };
  return (summary ?? message ?? String(error)).split('\n', 1)[0] ?? '';
}

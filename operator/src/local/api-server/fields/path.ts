import { isObject, type Json, type JsonObject } from '../json.js';

/**
 * One step into an object, in the notation of managedFields: `f:NAME` a field, `k:{"KEY":VALUE}` an item of a list
 * map, `v:VALUE` an item of a list set, `i:N` an item by place. The text is canonical: equal steps are equal texts.
 */
export type Step = string;

export const fieldStep = (name: string): Step => `f:${name}`;
export const valueStep = (value: Json): Step => `v:${JSON.stringify(value)}`;

/** Keys in the order of their names. */
export function keyStep(keys: JsonObject): Step {
  return `k:${JSON.stringify(Object.fromEntries(Object.entries(keys).sort(([a], [b]) => compareText(a, b))))}`;
}

const KINDS = 'fkvi';

/** The order in which steps are written: fields, keys, values, places. */
export function compareSteps(a: Step, b: Step): number {
  const kinds = KINDS.indexOf(a.charAt(0)) - KINDS.indexOf(b.charAt(0));
  if (kinds !== 0) return kinds;
  if (a.startsWith('f:')) return compareText(a, b);
  return compareValues(JSON.parse(a.slice(2)) as Json, JSON.parse(b.slice(2)) as Json);
}

function compareValues(a: Json, b: Json): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (!isObject(a) || !isObject(b)) return compareText(String(a), String(b));
  const left = Object.entries(a);
  const right = Object.entries(b);
  for (const [index, [name, value]] of left.entries()) {
    const other = right[index];
    if (other === undefined) return 1;
    const order = compareText(name, other[0]) || compareValues(value, other[1]);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** As messages show a path: `.spec.capital[asset="USDC"].amount`. */
export function showPath(path: readonly Step[]): string {
  return path.map(showStep).join('');
}

function showStep(step: Step): string {
  const rest = step.slice(2);
  switch (step.charAt(0)) {
    case 'f':
      return `.${rest}`;
    case 'v':
      return `[=${rest}]`;
    case 'k': {
      const keys = Object.entries(JSON.parse(rest) as JsonObject);
      return `[${keys.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}]`;
    }
    default:
      return `[${rest}]`;
  }
}

import { isObject, type Json } from '../json.js';
import type { FieldType } from './field-type.js';
import { fieldStep, type Step, showPath } from './path.js';
import { FieldTypeError, fieldOf, shapeOf, stepOf } from './walk.js';

/** An applied configuration must fit the schema: only then is it known what it owns. Throws FieldTypeError. */
export function checkFits(type: FieldType, value: Json, path: readonly Step[] = []): void {
  if (value === null) return;
  const shape = shapeOf(type, value);
  const refusal = (problem: string) => new FieldTypeError(showPath(path), problem);
  if (shape === undefined || 'scalar' in shape) {
    if (isObject(value) || Array.isArray(value)) throw refusal(`expected scalar, got ${goText(value)}`);
    return;
  }
  if ('map' in shape) {
    if (!isObject(value)) throw refusal(`expected map, got ${goText(value)}`);
    for (const [name, inner] of Object.entries(value)) {
      const field = fieldOf(shape.map, name);
      const innerPath = [...path, fieldStep(name)];
      if (field === undefined) throw new FieldTypeError(showPath(innerPath), 'field not declared in schema');
      checkFits(field, inner, innerPath);
    }
    return;
  }
  if (!Array.isArray(value)) throw refusal(`expected list, got ${goText(value)}`);
  const seen = new Set<Step>();
  for (const [index, item] of value.entries()) {
    const place: Step = `i:${index}`;
    if (shape.list.relation === 'atomic') {
      checkFits(shape.list.element, item, [...path, place]);
      continue;
    }
    const step = stepOf(shape.list, item);
    if (step === undefined) {
      const keys = shape.list.keys.map((key) => JSON.stringify(key)).join(' ');
      throw refusal(
        `element ${index}: associative list with keys has an element that omits key field ${keys} (and doesn't have default value)`,
      );
    }
    if (seen.has(step)) throw refusal(`duplicate entries for key ${showPath([step])}`);
    seen.add(step);
    checkFits(shape.list.element, item, [...path, step]);
  }
}

/** A value as Go prints it with %v. */
function goText(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`;
  if (isObject(value))
    return `map[${Object.entries(value)
      .map(([name, inner]) => `${name}:${goText(inner)}`)
      .join(' ')}]`;
  return String(value);
}

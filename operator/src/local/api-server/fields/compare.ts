import { deepEqual, isObject, type Json } from '../json.js';
import { type FieldSet, FieldSetBuilder } from './field-set.js';
import type { FieldType, ListType, MapType } from './field-type.js';
import { fieldStep, type Step } from './path.js';
import { fieldOf, isEmptyList, isEmptyMap, shapeOf, stepOf } from './walk.js';

export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

/** Which fields differ, in terms of ownership: what is owned as one counts as one. */
export function compare(type: FieldType, before: Json | undefined, after: Json | undefined): Comparison {
  const comparer = new Comparer();
  comparer.compare(type, before, after, []);
  return comparer.result();
}

class Comparer {
  readonly #added = new FieldSetBuilder();
  readonly #modified = new FieldSetBuilder();
  readonly #removed = new FieldSetBuilder();

  result(): Comparison {
    return {
      added: this.#added.build(),
      modified: this.#modified.build(),
      removed: this.#removed.build(),
    };
  }

  compare(type: FieldType, before: Json | undefined, after: Json | undefined, path: readonly Step[]): void {
    const given = after === undefined || (after === null && before !== undefined) ? before : after;
    const shape = shapeOf(type, given);
    if (shape === undefined || 'scalar' in shape || changesShape(before, after)) {
      this.#leaf(before, after, path);
      return;
    }
    const whole =
      'map' in shape
        ? shape.map.atomic || (isEmptyMap(before) && isEmptyMap(after))
        : shape.list.relation === 'atomic' || (isEmptyList(before) && isEmptyList(after));
    if (whole) {
      this.#leaf(before, after, path);
      return;
    }
    if ('map' in shape) this.#map(shape.map, before, after, path);
    else this.#list(shape.list, before, after, path);
    if (before === undefined) this.#added.insert(path);
    else if (after === undefined) this.#removed.insert(path);
  }

  #leaf(before: Json | undefined, after: Json | undefined, path: readonly Step[]): void {
    if (before === undefined) this.#added.insert(path);
    else if (after === undefined) this.#removed.insert(path);
    else if (!deepEqual(before, after)) this.#modified.insert(path);
  }

  #map(type: MapType, before: Json | undefined, after: Json | undefined, path: readonly Step[]): void {
    const left = isObject(before) ? before : {};
    const right = isObject(after) ? after : {};
    for (const name of new Set([...Object.keys(left), ...Object.keys(right)])) {
      const field = fieldOf(type, name);
      if (field !== undefined) this.compare(field, left[name], right[name], [...path, fieldStep(name)]);
    }
  }

  #list(type: ListType, before: Json | undefined, after: Json | undefined, path: readonly Step[]): void {
    const left = itemsByStep(type, before);
    const right = itemsByStep(type, after);
    for (const step of new Set([...left.keys(), ...right.keys()]))
      this.compare(type.element, left.get(step), right.get(step), [...path, step]);
  }
}

/** From a list to a map or the like: nothing of it stays. */
function changesShape(before: Json | undefined, after: Json | undefined): boolean {
  if (before === undefined || after === undefined || before === null || after === null) return false;
  return Array.isArray(before) !== Array.isArray(after) || isObject(before) !== isObject(after);
}

function itemsByStep(type: ListType, list: Json | undefined): Map<Step, Json> {
  const items = new Map<Step, Json>();
  for (const item of Array.isArray(list) ? list : []) {
    const step = stepOf(type, item);
    if (step !== undefined && !items.has(step)) items.set(step, item);
  }
  return items;
}

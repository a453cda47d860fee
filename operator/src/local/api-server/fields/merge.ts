import { isObject, type Json, type JsonObject } from '../json.js';
import type { FieldSet } from './field-set.js';
import type { FieldType, ListType, MapType } from './field-type.js';
import { fieldStep, type Step } from './path.js';
import { fieldOf, isEmptyList, isEmptyMap, shapeOf, stepOf } from './walk.js';

/** `live` with `applied` laid over it; lists come in the order of `applied` where that names their items. */
export function merge(type: FieldType, live: Json | undefined, applied: Json | undefined): Json | undefined {
  if (applied === undefined) return live;
  if (live === undefined || live === null || applied === null) return applied;
  const shape = shapeOf(type, applied);
  if (shape === undefined || 'scalar' in shape) return applied;
  if ('map' in shape) {
    if (
      shape.map.atomic ||
      !isObject(live) ||
      !isObject(applied) ||
      (isEmptyMap(live) && isEmptyMap(applied))
    )
      return applied;
    return mergeMaps(shape.map, live, applied);
  }
  if (shape.list.relation === 'atomic' || !Array.isArray(live) || !Array.isArray(applied)) return applied;
  return isEmptyList(live) && isEmptyList(applied) ? applied : mergeLists(shape.list, live, applied);
}

function mergeMaps(type: MapType, live: JsonObject, applied: JsonObject): JsonObject {
  const result: JsonObject = { ...live };
  for (const [name, value] of Object.entries(applied)) {
    const field = fieldOf(type, name);
    const merged = field === undefined ? value : merge(field, live[name], value);
    if (merged !== undefined) result[name] = merged;
  }
  return result;
}

/** Items that only one side has keep their place relative to the shared ones. */
function mergeLists(type: ListType, live: readonly Json[], applied: readonly Json[]): Json[] {
  const left = named(type, live);
  const right = named(type, applied);
  const ofLeft = new Map(left);
  const ofRight = new Map(right);
  const shared = right.map(([step]) => step).filter((step) => ofLeft.has(step));
  const done = new Set<Step>();
  const result: Json[] = [];
  const take = (step: Step) => {
    const merged = merge(type.element, ofLeft.get(step), ofRight.get(step));
    if (merged !== undefined) result.push(merged);
  };
  let next = shared.shift();
  let l = 0;
  let r = 0;
  while (l < left.length || r < right.length) {
    const leftStep = left[l]?.[0];
    const rightStep = right[r]?.[0];
    if (leftStep !== undefined && rightStep !== undefined) {
      if (leftStep === rightStep) {
        done.add(leftStep);
        take(leftStep);
        l += 1;
        r += 1;
        next = shared.shift();
        continue;
      }
      if (ofRight.has(leftStep) && next !== undefined && next !== leftStep) {
        l += 1;
        continue;
      }
    }
    if (leftStep !== undefined) {
      if (!ofRight.has(leftStep)) {
        take(leftStep);
        l += 1;
        continue;
      }
      if (done.has(leftStep)) l += 1;
    }
    if (rightStep !== undefined) {
      done.add(rightStep);
      take(rightStep);
      r += 1;
      if (next === rightStep) next = shared.shift();
    }
  }
  return result;
}

function named(type: ListType, items: readonly Json[]): [Step, Json][] {
  return items.flatMap((item): [Step, Json][] => {
    const step = stepOf(type, item);
    return step === undefined ? [] : [[step, item]];
  });
}

/** `value` without the fields and items of the set. Of what is owned as one, nothing can be taken out. */
export function removeFields(type: FieldType, value: Json, set: FieldSet): Json | undefined {
  const shape = shapeOf(type, value);
  if (shape === undefined || 'scalar' in shape) return value;
  if ('map' in shape) {
    if (shape.map.atomic || !isObject(value) || isEmptyMap(value)) return undefined;
    const entries = Object.entries(value).flatMap(([name, inner]): [string, Json][] => {
      const step = fieldStep(name);
      if (set.members.has(step)) return [];
      const left = reduced(fieldOf(shape.map, name), inner, set, step);
      return [[name, left]];
    });
    return entries.length === 0 ? undefined : Object.fromEntries(entries);
  }
  if (shape.list.relation === 'atomic' || !Array.isArray(value) || isEmptyList(value)) return undefined;
  const items = value.flatMap((item): Json[] => {
    const step = stepOf(shape.list, item);
    if (step === undefined) return [item];
    if (set.members.has(step)) return [];
    return [reduced(shape.list.element, item, set, step)];
  });
  return items.length === 0 ? undefined : items;
}

function reduced(type: FieldType | undefined, value: Json, set: FieldSet, step: Step): Json {
  const inner = set.below(step);
  // What has nothing left is written as null, and taken out with the other nulls.
  return inner.isEmpty || type === undefined ? value : (removeFields(type, value, inner) ?? null);
}

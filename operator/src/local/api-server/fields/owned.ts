import { isObject, type Json } from '../json.js';
import { FieldSet, FieldSetBuilder } from './field-set.js';
import type { FieldType } from './field-type.js';
import { fieldStep, type Step } from './path.js';
import { fieldOf, isEmptyMap, shapeOf, stepOf } from './walk.js';

/** What somebody who applies this configuration owns: its leaves and its list items. */
export function ownedBy(type: FieldType, value: Json): FieldSet {
  const builder = new FieldSetBuilder();
  collect(type, value, [], builder);
  return builder.build();
}

function collect(type: FieldType, value: Json, path: readonly Step[], builder: FieldSetBuilder): void {
  const shape = shapeOf(type, value);
  if (shape === undefined || 'scalar' in shape) {
    builder.insert(path);
  } else if ('map' in shape) {
    if (shape.map.atomic) builder.insert(path);
    else if (isObject(value)) {
      for (const [name, inner] of Object.entries(value)) {
        const field = fieldOf(shape.map, name);
        if (field === undefined) continue;
        const innerPath = [...path, fieldStep(name)];
        collect(field, inner, innerPath, builder);
        const empty = inner === null || (isObject(inner) && isEmptyMap(inner));
        if (empty || !shape.map.fields.has(name)) builder.insert(innerPath);
      }
    }
  } else if (shape.list.relation === 'atomic') {
    builder.insert(path);
  } else if (Array.isArray(value)) {
    for (const item of value) {
      const step = stepOf(shape.list, item);
      if (step === undefined) continue;
      collect(shape.list.element, item, [...path, step], builder);
      builder.insert([...path, step]);
    }
  }
}

/** With the declared fields on the way to what is in the set, which by themselves nobody owns. */
export function withNamedParents(type: FieldType | undefined, set: FieldSet): FieldSet {
  const members = new Set(set.members);
  const children = new Map<Step, FieldSet>();
  for (const [step, child] of set.children) {
    if (step.startsWith('f:') && type?.map?.fields.has(step.slice(2)) === true) members.add(step);
    children.set(step, withNamedParents(innerType(type, step), child));
  }
  return new FieldSet(members, children);
}

function innerType(type: FieldType | undefined, step: Step): FieldType | undefined {
  if (!step.startsWith('f:')) return type?.list?.element;
  return type?.map === undefined ? undefined : fieldOf(type.map, step.slice(2));
}

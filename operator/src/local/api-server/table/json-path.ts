import { isObject, type Json } from '../json.js';
import { SchemaError } from '../schema/schema-error.js';

type Select = (value: Json) => Json[];

/**
 * The paths that printer columns use: `.a.b`, `.a\.b`, `['a']`, `[0]`, `[-1]`, `[*]`, `[?(@.type=="Ready")]`.
 * What is missing selects nothing.
 */
export function compileJsonPath(path: string, where: string): Select {
  const steps: Select[] = [];
  let rest = path;
  while (rest !== '') {
    const step = readStep(rest);
    if (step === undefined)
      throw new SchemaError(
        where,
        `"${path}" is no path such as .spec.mode or .status.conditions[?(@.type=="Ready")].status`,
      );
    steps.push(step.select);
    rest = rest.slice(step.length);
  }
  return (value) => steps.reduce<Json[]>((values, select) => values.flatMap(select), [value]);
}

function readStep(text: string): { select: Select; length: number } | undefined {
  const name = /^\.((?:\\.|[^.[\]\\])+)/.exec(text);
  if (name !== null)
    return { select: child((name[1] ?? '').replaceAll(/\\(.)/g, '$1')), length: name[0].length };
  const quoted = /^\[(?:'([^']*)'|"([^"]*)")\]/.exec(text);
  if (quoted !== null) return { select: child(quoted[1] ?? quoted[2] ?? ''), length: quoted[0].length };
  const index = /^\[(-?\d+|\*)\]/.exec(text);
  if (index !== null) return { select: item(index[1] ?? '*'), length: index[0].length };
  const filter = /^\[\?\(@((?:\.[\w-]+)+)\s*==\s*(?:"([^"]*)"|'([^']*)'|(-?\d+|true|false))\)\]/.exec(text);
  if (filter === null) return undefined;
  const names = (filter[1] ?? '').slice(1).split('.');
  const wanted = filter[2] ?? filter[3] ?? (JSON.parse(filter[4] ?? 'null') as Json);
  return { select: where(names, wanted), length: filter[0].length };
}

function child(name: string): Select {
  return (value) => {
    const inner = isObject(value) ? value[name] : undefined;
    return inner === undefined ? [] : [inner];
  };
}

function item(index: string): Select {
  return (value) => {
    if (index === '*') return Array.isArray(value) ? value : isObject(value) ? Object.values(value) : [];
    const found = Array.isArray(value) ? value.at(Number(index)) : undefined;
    return found === undefined ? [] : [found];
  };
}

function where(names: readonly string[], wanted: Json): Select {
  const read = (value: Json): Json | undefined =>
    names.reduce<Json | undefined>((here, name) => (isObject(here) ? here[name] : undefined), value);
  return (value) => (Array.isArray(value) ? value.filter((inner) => read(inner) === wanted) : []);
}

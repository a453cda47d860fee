// TypeScript of an addon's exports, from the lines that napi-derive writes for them.

interface Line {
  readonly kind: 'interface' | 'struct' | 'impl' | 'fn' | string;
  readonly name: string;
  readonly js_doc: string;
  readonly def: string;
}

const indent = (text: string, by: string): string =>
  text
    .split('\n')
    .map((line) => `${by}${line.trim()}`.trimEnd())
    .join('\n');

/** The types of what the addon hands out, and `Binding`, what loading it gives. */
export function addonTypes(told: string): string {
  const lines = told
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
  const methods = new Map(lines.filter(({ kind }) => kind === 'impl').map((line) => [line.name, line.def]));
  const types: string[] = [];
  const exports: string[] = [];
  for (const { kind, name, js_doc: doc, def } of lines) {
    if (kind === 'interface') types.push(`${doc}export interface ${name} {\n${indent(def, '  ')}\n}`);
    else if (kind === 'fn') exports.push(`${indent(doc, '  ')}${doc ? '\n' : ''}  ${asMethod(def)}`);
    else if (kind === 'struct') {
      const all = (methods.get(name) ?? '').split('\n').map((line) => line.trim());
      const construct = all.find((line) => line.startsWith('constructor'));
      const rest = all.filter((line) => line !== construct).join('\n');
      types.push(`${doc}export interface ${name} {\n${indent(rest, '  ')}\n}`);
      if (construct !== undefined)
        exports.push(`  readonly ${name}: new ${construct.replace('constructor', '')} => ${name};`);
    } else if (kind !== 'impl')
      throw new Error(`${name}: the addon exports a ${kind}, which is not known here`);
  }
  const binding = `/** What loading the addon gives. */\nexport interface Binding {\n${exports.join('\n')}\n}`;
  return [
    '// Generated from core-engine/crates/native by `npm run generate`. Do not edit.',
    ...types,
    binding,
    '',
  ].join('\n\n');
}

/** `function name(...): T` or `name(...): T` to a member of an interface. */
const asMethod = (def: string): string =>
  `${def.replace(/^(export\s+)?(declare\s+)?function\s+/, '').trim()};`;

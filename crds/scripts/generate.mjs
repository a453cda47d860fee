// Generates src/types.generated.ts and src/kinds.generated.ts from the CRD YAML beside this folder. No network.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { Types } from './types.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const header = '// Generated from crds/*.yaml by crds/scripts/generate.mjs; do not edit.\n\n';

const definitions = readdirSync(root)
  .filter((file) => file.endsWith('.yaml'))
  .sort()
  .map((file) => parse(readFileSync(join(root, file), 'utf8')));

const types = new Types();
const kinds = [];
for (const { spec } of definitions) {
  const version = spec.versions.find((candidate) => candidate.storage);
  const schema = version.schema.openAPIV3Schema;
  const { kind } = spec.names;
  const specType = types.object(`${kind}Spec`, schema.properties.spec);
  const statusType = types.object(`${kind}Status`, schema.properties.status);
  types.add(
    kind,
    `${types.comment(schema.description)}export interface ${kind} extends ObjectBase {\n` +
      `  apiVersion: '${spec.group}/${version.name}';\n  kind: '${kind}';\n` +
      `  spec: ${specType};\n  status?: ${statusType};\n}\n`,
  );
  kinds.push({ kind, plural: spec.names.plural, group: spec.group, version: version.name });
}

writeFileSync(
  join(root, 'src', 'types.generated.ts'),
  `${header}import type { ObjectBase } from './object.js';\n\n${types.text()}`,
);

const entries = kinds
  .map(
    ({ kind, plural, group, version }) =>
      `  ${kind}: {\n    group: '${group}',\n    version: '${version}',\n    kind: '${kind}',\n` +
      `    plural: '${plural}',\n  },\n`,
  )
  .join('');
const map = kinds.map(({ kind }) => `  ${kind}: Types.${kind};\n`).join('');
writeFileSync(
  join(root, 'src', 'kinds.generated.ts'),
  `${header}import type * as Types from './types.generated.js';\n\n` +
    `/** Where each kind is served. */\nexport const kinds = {\n${entries}} as const;\n\n` +
    `/** The type of an object by its kind. */\nexport interface ObjectByKind {\n${map}}\n\n` +
    'export type Kind = keyof ObjectByKind;\n',
);

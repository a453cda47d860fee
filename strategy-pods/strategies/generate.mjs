// Writes strategies/<name>/schema.json from the parameters of each built strategy: what a manifest may give.
import { readdirSync, writeFileSync } from 'node:fs';
import { parametersSchema } from '@flashpod/sdk';

const here = new URL('.', import.meta.url);
for (const entry of readdirSync(here, { withFileTypes: true })) {
  if (!entry.isDirectory()) continue;
  const { default: strategy } = await import(new URL(`${entry.name}/dist/index.js`, here).href);
  const { $schema, ...schema } = parametersSchema(strategy);
  const titled = {
    $schema,
    title: `Parameters of ${strategy.name}`,
    description: strategy.description,
    ...schema,
  };
  writeFileSync(new URL(`${entry.name}/schema.json`, here), `${JSON.stringify(titled, null, 2)}\n`);
}

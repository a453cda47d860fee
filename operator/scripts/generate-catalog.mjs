// Generates src/strategy/catalog.generated.ts: the built-in strategies and the JSON schemas of their parameters,
// from strategy-pods/strategies/<name>/schema.json, which the SDK makes from each strategy's zod schema.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const operator = join(dirname(fileURLToPath(import.meta.url)), '..');
const strategies = join(operator, '..', 'strategy-pods', 'strategies');

const catalog = Object.fromEntries(
  readdirSync(strategies)
    .sort()
    .map((name) => [name, join(strategies, name, 'schema.json')])
    .filter(([, file]) => existsSync(file))
    .map(([name, file]) => [name, JSON.parse(readFileSync(file, 'utf8'))]),
);

writeFileSync(
  join(operator, 'src', 'strategy', 'catalog.generated.ts'),
  '// Generated from strategy-pods/strategies/*/schema.json by operator/scripts/generate-catalog.mjs; do not edit.\n\n' +
    '/** Built-in strategies, and the JSON schema of the parameters of each. */\n' +
    `export const catalog: Readonly<Record<string, object>> = ${JSON.stringify(catalog, null, 2)};\n`,
);

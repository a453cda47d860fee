// Rules of our definitions use only CEL that evaluates alike on the embedded and on a real API server.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Environment } from '@marcbachmann/cel-js';
import { parseAllDocuments } from 'yaml';
import { unlistedIn } from '../operator/src/local/api-server/cel/portable.ts';
import { root } from './parts.ts';

/** Every rule and message expression in a document, wherever it stands. */
function expressionsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(expressionsIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    if (name !== 'x-kubernetes-validations' || !Array.isArray(inner)) return expressionsIn(inner);
    return inner.flatMap((rule: Record<string, unknown>) =>
      [rule['rule'], rule['messageExpression']].filter((text) => typeof text === 'string'),
    );
  });
}

/** What is wrong with the rules of a file of definitions. */
export function complaintsAbout(name: string, text: string): string[] {
  const environment = new Environment({ enableOptionalTypes: true });
  return parseAllDocuments(text).flatMap((document) =>
    expressionsIn(document.toJS()).flatMap((expression) => {
      try {
        return unlistedIn(environment.parse(expression).ast).map(
          (use) =>
            `${name}: the rule ${JSON.stringify(expression)} uses ${use}, which is not listed in docs/cel.md`,
        );
      } catch (error) {
        const [problem] = String((error as Error).message).split('\n', 1);
        return [`${name}: the rule ${JSON.stringify(expression)} cannot be read: ${problem}`];
      }
    }),
  );
}

if (import.meta.main) {
  const files = globSync('crds/*.yaml', { cwd: root });
  const complaints = files.flatMap((file) => complaintsAbout(file, readFileSync(join(root, file), 'utf8')));
  for (const complaint of complaints) process.stderr.write(`${complaint}\n`);
  process.stdout.write(
    complaints.length === 0
      ? `the rules of ${files.length} definitions are portable\n`
      : `${complaints.length} complaints\n`,
  );
  process.exitCode = complaints.length === 0 && files.length > 0 ? 0 : 1;
}

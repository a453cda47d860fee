// `docs/errors.md` from where the codes are declared, so that none is missing in it and none is only there.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERRORS, Exit } from '../operator/src/errors.ts';
import { nativeErrors } from '../strategy-pods/native/src/errors.ts';
import { strategyErrors } from '../strategy-pods/sdk/src/errors.ts';
import { root } from './parts.ts';

interface Row {
  code: string;
  meaning: string;
  remedy: string;
}

/** Reads `/// Meaning.`, `/// Remedy: …`, and the declaration below them, which `declares` finds the code in. */
function rustRows(file: string, from: string, to: string, declares: RegExp): Row[] {
  const source = readFileSync(join(root, file), 'utf8');
  const part = source.slice(source.indexOf(from), source.indexOf(to, source.indexOf(from)));
  const rows: Row[] = [];
  let doc: string[] = [];
  for (const line of part.split('\n').map((text) => text.trim())) {
    if (line.startsWith('///')) doc.push(line.slice(3).trim());
    const code = declares.exec(line)?.[1];
    if (code === undefined) continue;
    const [meaning = '', remedy = ''] = doc.join(' ').split(' Remedy: ');
    if (meaning === '' || remedy === '')
      throw new Error(
        `${file}: ${code} needs a line "/// what it means" and a line "/// Remedy: what to do"`,
      );
    rows.push({ code: code.replaceAll('_', declares.source.includes('i64') ? '' : '_'), meaning, remedy });
    doc = [];
  }
  if (rows.length === 0) throw new Error(`${file}: no code was found`);
  return rows;
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const cell = (text: string): string => text.replaceAll('|', '\\|');

function table(rows: readonly Row[], lead: (row: Row) => string): string {
  return [
    '| code | what happened | what to do |',
    '|---|---|---|',
    ...rows.map((row) => `| ${lead(row)} | ${cell(row.meaning)} | ${cell(sentence(row.remedy))} |`),
  ].join('\n');
}

const exits = Object.entries(ERRORS).map(
  ([code, { exit, meaning, remedy }]) => `| \`${code}\` | ${exit} | ${cell(meaning)} | ${cell(remedy)} |`,
);
const exitWords: Record<keyof typeof Exit, string> = {
  ok: 'done',
  refused: 'refused: it was read and is not accepted',
  usage: 'wrong flag, argument or file',
  unavailable: 'something that is needed does not answer or has ended',
  conflict: 'somebody else changed or holds it',
  notFound: 'there is no such object',
  internal: 'a fault of ours; please report it',
};
const risk = rustRows(
  'core-engine/crates/risk/src/denial.rs',
  'codes! {\n    ///',
  '\n}\n',
  /=> "([A-Z_]+)"/,
);
const venue = rustRows(
  'core-engine/crates/mexc/src/reply.rs',
  'pub mod code {',
  '\n}\n',
  /i64 = (-?[\d_]+);/,
);
const strategies = Object.entries(strategyErrors).map(([code, texts]) => ({ code, ...texts }));
const addon = Object.entries(nativeErrors).map(([code, texts]) => ({ code, ...texts }));

const page = `# Errors

Made by \`npm run generate\` from where the codes are declared; \`npm run check\` fails when it is stale. Every message names the object, the value and what would be accepted; a code keeps its meaning.

## Exit codes

| code | meaning |
|---|---|
${Object.entries(Exit)
  .map(([name, code]) => `| ${code} | ${exitWords[name as keyof typeof Exit]} |`)
  .join('\n')}

## Commands and processes

From \`operator/src/errors.ts\`.

| code | exit | what happened | what to do |
|---|---|---|---|
${exits.join('\n')}

## Orders that the core refuses

In \`status.lastReject\` of a StrategyInstance and in the order events of its strategy; the text names the limit and the value. From \`core-engine/crates/risk\`.

${table(risk, ({ code }) => `\`${code}\``)}

## Orders that the exchange refuses

The core passes the exchange's number on as \`MEXC_<number>\`; \`NOT_SENT\` means that not a byte of the request left. These are the numbers that it acts upon. From \`core-engine/crates/mexc\`.

${table(venue, ({ code }) => `\`MEXC_${code}\``)}

## Strategies

\`StrategyError\` of \`@flashpod/sdk\`: thrown to strategies and their tests, and what a sidecar says when it cannot run. From \`strategy-pods/sdk/src/errors.ts\`.

${table(strategies, ({ code }) => `\`${code}\``)}

## The Node addon

Thrown by \`@flashpod/native\` as subclasses of \`NativeError\`. From \`strategy-pods/native/src/errors.ts\`.

${table(addon, ({ code }) => `\`${code}\``)}
`;

mkdirSync(join(root, 'docs'), { recursive: true });
writeFileSync(join(root, 'docs/errors.md'), page);

// `docs/failure-matrix.md` from the stages and faults that `npm run test:faults` runs.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import './sources.ts';
import { root } from './parts.ts';

const { absentStages, stages } = await import('../e2e/faults/stages.ts');
const { strikes } = await import('../e2e/faults/strikes.ts');
const { cells, kills, pointless } = await import('../e2e/faults/table.ts');

const rows = (lines: readonly (readonly string[])[]): string =>
  lines.map((line) => `| ${line.join(' | ')} |`).join('\n');
const mark = (stage: string, strike: string): string => {
  const cell = cells.find((one) => one.stage.id === stage && one.strike.id === strike);
  if (!cell) return '–';
  return kills(cell) ? '●' : '○';
};

const page = `# Failure matrix

Made by \`npm run generate\` from what \`npm run test:faults\` runs (\`e2e/faults\`). An order is brought to a stage of its life, a fault strikes it there, and afterwards the books of the exchange say whether all is well. ${cells.length} cells: ● a process is killed, all of these run in CI; ○ the others, of which CI draws a part by a seed, which it prints; – without meaning, see below.

\`\`\`
npm run test:faults                      # what CI runs
npm run test:faults -- --all             # every cell
npm run test:faults -- --only ack-lost,gap
npm run test:faults -- --seed N          # repeats a draw
\`\`\`

Each cell asserts that its fault happened, by the word of the core (its failpoints) or of the exchange (its counters); and by the exchange's own books: no order twice, none that the core does not know, no fill that ledger or sidecar was not told of exactly once, no limit passed, every balance equal, nothing accepted past the hard deadline of a lease; after it the core trades again. At the end its journal is replayed and gives every decision again. Processes, sockets and the journal are real: \`flashpod-venue\`, and \`flashpod-core-failpoints\`, which is the core built with the feature \`failpoints\`; the runner first looks for failpoints in the release binary, and finds none. Time-outs are scaled by \`timing\` of the core's configuration.

| | ${strikes.map(({ title }) => title).join(' | ')} |
|---|${strikes.map(() => '---|').join('')}
${rows(stages.map(({ id, title }) => [title, ...strikes.map((strike) => mark(id, strike.id))]))}

## Stages

| stage | name | when the fault strikes |
|---|---|---|
${rows(stages.map(({ id, title, meaning }) => [title, `\`${id}\``, meaning]))}

## Faults

| fault | name | what it is |
|---|---|---|
${rows(strikes.map(({ id, title, meaning }) => [title, `\`${id}\``, meaning]))}

REST faults strike the request that comes next at the stage: the order, its cancel, or, after both, what the core asks to find out.

## Without meaning

| stage | fault | why |
|---|---|---|
${rows([
  ...pointless.map(({ stage, strike, reason }) => [stage.title, strike.title, reason]),
  ...absentStages.map(({ title, reason }) => [title, 'all', reason]),
])}
`;

writeFileSync(join(root, 'docs/failure-matrix.md'), page);

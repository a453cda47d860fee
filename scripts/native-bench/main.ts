// What the addon does in a second, beside the same in TypeScript: `--json FILE`, `--only SECTION`.

import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { frames } from './frames.ts';
import { Report } from './report.ts';
import { reading, strategy } from './strategy.ts';

const sections = { 'native.frames': frames, 'native.replay': reading, 'native.strategy': strategy };

const { values } = parseArgs({ options: { json: { type: 'string' }, only: { type: 'string' } } });
const chosen = Object.entries(sections).filter(
  ([name]) => values.only === undefined || name === values.only || name.startsWith(`${values.only}.`),
);
if (chosen.length === 0) {
  process.stderr.write(
    `--only ${values.only}: there is no such section; accepted: native, ${Object.keys(sections).join(', ')}\n`,
  );
  process.exit(1);
}
const report = new Report();
process.stdout.write(
  `${cpus()[0]?.model ?? 'unknown CPU'}, ${availableParallelism()} CPUs, Node ${process.version}\n`,
);
for (const [name, run] of chosen) {
  process.stdout.write(`\n${name}\n`);
  try {
    await run(report);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    process.stdout.write(`  NOT RUN: ${reason}\n`);
    report.notRun.push({ section: name, reason });
  }
}
if (values.json !== undefined) report.write(values.json);
process.exitCode = report.notRun.length === 0 ? 0 : 1;

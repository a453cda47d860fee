// Runs the parts of a task one after the other, shows what each prints, and sums up minutes, passes and failures.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');
export const bin = (name: string): string => join(root, 'node_modules', '.bin', name);
export const cargoManifest = ['--manifest-path', 'core-engine/Cargo.toml'];

export interface Counts {
  passed: number;
  failed: number;
}

export interface Part {
  name: string;
  command: string;
  args: string[];
  /** Reads the counts from what the command left behind; without it the part counts as one test. */
  counts?: (output: string) => Counts;
  env?: Record<string, string>;
}

/** Counts what `cargo test` prints: one `test result:` line per test binary. An ignored test is a defect here. */
export function cargoCounts(output: string): Counts {
  const counts = { passed: 0, failed: 0 };
  const line = /test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/g;
  for (const [, passed, failed, ignored] of output.matchAll(line)) {
    counts.passed += Number(passed);
    counts.failed += Number(failed) + Number(ignored);
  }
  return counts;
}

const reports = mkdtempSync(join(tmpdir(), 'flashpod-test-'));
process.on('exit', () => rmSync(reports, { recursive: true, force: true }));

/** A vitest part: the human reporter on the terminal, a JSON report for the counts. */
export function vitest(name: string, args: string[]): Part {
  const report = join(reports, `${name.replaceAll(/\W+/g, '-')}.json`);
  return {
    name,
    command: bin('vitest'),
    args: ['run', ...args, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    counts: () => {
      const result = JSON.parse(readFileSync(report, 'utf8')) as {
        numPassedTests: number;
        numFailedTests: number;
        numPendingTests: number;
        numTodoTests: number;
        numFailedTestSuites: number;
      };
      // A file that does not load has failed although it counted no test; a skipped test is a defect here.
      const failed =
        Math.max(result.numFailedTests, result.numFailedTestSuites > 0 ? 1 : 0) +
        result.numPendingTests +
        result.numTodoTests;
      return { passed: result.numPassedTests, failed };
    },
  };
}

function execute(part: Part): Promise<{ ok: boolean; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(part.command, part.args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        PATH: `${join(root, 'node_modules/.bin')}${delimiter}${process.env['PATH']}`,
        ...part.env,
      },
    });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      process.stdout.write(chunk);
    });
    child.on('error', (error) => {
      process.stderr.write(`cannot run ${part.command}: ${error.message}\n`);
      resolve({ ok: false, output: '' });
    });
    child.on('close', (code) => resolve({ ok: code === 0, output: Buffer.concat(chunks).toString('utf8') }));
  });
}

/** Runs all parts, also after a failure, prints the table and the closing line, and gives the exit code. */
export async function runParts(title: string, parts: Part[]): Promise<number> {
  const rows: { name: string; minutes: number; counts: Counts }[] = [];
  for (const part of parts) {
    process.stdout.write(`\n── ${title}: ${part.name}\n`);
    const began = performance.now();
    const { ok, output } = await execute(part);
    let counts: Counts = { passed: ok ? 1 : 0, failed: ok ? 0 : 1 };
    if (part.counts) {
      try {
        counts = part.counts(output);
      } catch {
        counts = { passed: 0, failed: 1 };
      }
      // A run that ended badly has failed, whatever it counted before.
      if (!ok && counts.failed === 0) counts.failed = 1;
      if (ok && counts.passed === 0) counts.failed += 1;
    }
    rows.push({ name: part.name, minutes: (performance.now() - began) / 60_000, counts });
  }
  process.stdout.write(`\n${title}\n`);
  for (const { name, minutes, counts } of rows) {
    const result = `${counts.passed} passed, ${counts.failed} failed`;
    process.stdout.write(`  ${name.padEnd(34)} ${minutes.toFixed(1).padStart(5)} min  ${result}\n`);
  }
  const total = rows.reduce(
    (sum, { counts }) => ({ passed: sum.passed + counts.passed, failed: sum.failed + counts.failed }),
    { passed: 0, failed: 0 },
  );
  process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
  return total.failed === 0 ? 0 : 1;
}

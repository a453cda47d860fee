import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LocalRun } from './local-run.ts';
import { until } from './shared.ts';

const parts = ['flashpod-venue', 'flashpod-core', 'operator/dist/main.js', 'agent/main.js', '--strategy'];

async function processesOf(run: LocalRun): Promise<number[]> {
  return until('every process of the run', 40_000, () => {
    const pids = parts.map((part) => run.findPid(part));
    return pids.every((pid) => pid !== undefined) && (pids as number[]);
  });
}

/** A process that has ended and waits for its parent to notice has no command line. */
function runs(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== '';
  } catch {
    return false;
  }
}

async function allGone(pids: number[]): Promise<void> {
  await until('all of them to be gone', 10_000, () => !pids.some(runs));
}

test('a run that is killed leaves no process behind', async () => {
  const run = await LocalRun.start();
  const pids = await processesOf(run);
  run.kill('SIGKILL');
  await run.ended();
  await allGone(pids);
});

test('a run that is ended before anything trades stops in order and says that the ledgers agree', async () => {
  const run = await LocalRun.start(['--for', '500ms']);
  const { report } = await run.report();
  expect(report).toMatchObject({ ledgerEqualsVenue: true, differences: [] });
  expect(report).not.toHaveProperty('failure');
});

test('a run that loses its venue stops the rest, fails with the reason, and still writes its report', async () => {
  const run = await LocalRun.start();
  const pids = await processesOf(run);
  process.kill(run.pidOf('flashpod-venue'), 'SIGKILL');
  const killed = Date.now();
  const { code, output } = await run.ended();
  // A core that could still cancel something would be given 30 s for it.
  expect(Date.now() - killed).toBeLessThan(15_000);
  expect(code).toBe(3);
  expect(output).toContain('the venue was ended by SIGKILL');
  expect(output).toContain('the orders are gone with the venue, so the core gets no more than 2 s');
  expect(run.readReport()).toMatchObject({ ledgerEqualsVenue: false, http429: null });
  expect(run.readReport().failure).toContain('the venue was ended by SIGKILL');
  await allGone(pids);
});

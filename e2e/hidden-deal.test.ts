import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LocalRun } from './local-run.ts';

test('a deal that the venue hides makes the report say so', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'flashpod-e2e-'));
  const faults = join(folder, 'faults.json');
  writeFileSync(faults, JSON.stringify({ faults: [{ kind: 'hideDeal', nth: 2 }] }));
  const run = await LocalRun.start(['--for', '25s', '--venue-faults', faults]);
  const { report, output } = await run.report(120_000);
  rmSync(folder, { recursive: true, force: true });

  expect(report.ledgerEqualsVenue).toBe(false);
  expect(report.differences.filter((difference) => difference.includes('no such fill'))).toHaveLength(
    // Named once before and once after the final cancels.
    2,
  );
  expect(output).toContain('DIFFERS FROM');
});

import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LocalRun } from './local-run.ts';
import { checkout, until } from './shared.ts';

const core = join(
  process.env['FLASHPOD_BIN_DIR'] ?? join(checkout, 'core-engine/target/release'),
  'flashpod-core',
);

test('the core quotes by a rule of its own beside two strategies, and every order, fill and decision agrees', async () => {
  const run = await LocalRun.start(['--seed', '5']);
  const applied = await run.flashpod(['apply', '-f', join(checkout, 'crds/samples/touch-maker.yaml')]);
  expect(applied.code, applied.output).toBe(0);
  await until('orders and fills of the rule', 60_000, async () => {
    const { orders } = await run.ledger();
    const own = orders.filter(({ instance }) => instance.startsWith('touch-maker'));
    return own.length >= 40 && own.some(({ filledQuantity }) => Number(filledQuantity) > 0);
  });
  // A strategy that only watches: what was sent, the core decided.
  const { output: log } = await run.flashpod(['logs', 'strategy', 'touch-maker']);
  expect(log).toMatch(/rule in force/);

  const { report } = await run.stop();
  expect(report.differences).toEqual([]);
  expect(report).toMatchObject({ ledgerEqualsVenue: true, http429: 0 });
  const [journal] = globSync(join(run.folder, 'n/host/var/lib/flashpod/*/main/journal'));
  const replay = spawnSync(core, ['replay', '--journal', journal ?? '', '--verify'], { encoding: 'utf8' });
  expect(replay.stdout + replay.stderr).not.toMatch(/difference/i);
  expect(replay.status).toBe(0);
});

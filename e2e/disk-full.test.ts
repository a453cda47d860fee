import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { resourceOf } from '../operator/src/cli/kinds.ts';
import { findCondition } from '../operator/src/kube/index.ts';
import { ms } from './books.ts';
import { replayComplaints } from './chaos/invariants.ts';
import { LocalRun } from './local-run.ts';
import { until } from './shared.ts';

const namespace = 'default';
const core = 'flashpod-core';

test('when the disk is full in the midst of trading the core stops in order and says why, and goes on when there is room', async () => {
  // A market at twenty times its pace fills a journal file of 1 MiB in a second or two.
  const run = await LocalRun.start(['--seed', '23', '--speed', '20', '--restart-backoff', '1s']);
  try {
    const cores = run.client.of(resourceOf('ExecutionCore'));
    const first = await until('a core', 60_000, () => run.findPid(core));
    const spec = { journal: { segmentMiB: 1, keepMiB: 64 } };
    await cores.mergePatch({ namespace, name: 'core' }, { spec } as never);
    const pid = await until('a core with small journal files', 30_000, () => {
      const now = run.findPid(core);
      return now !== undefined && now !== first && now;
    });
    const trades = async (from: number) =>
      (await run.audit()).orders.some(({ acceptedUnixNs }) => ms(acceptedUnixNs) > from);
    const since = Date.now();
    await until('orders of it', 30_000, () => trades(since));

    // What a full disk is to a process that has no disk of its own: none of its files can grow any more.
    const limited = spawnSync('prlimit', ['--pid', String(pid), '--fsize=4096'], { encoding: 'utf8' });
    expect(limited.stderr).toBe('');
    const said = await until('the core to say that it ended for want of room', 60_000, async () => {
      const { status } = await cores.get({ namespace, name: 'core' });
      const ready = findCondition(status?.conditions, 'Ready');
      return ready?.status === 'False' && /journal.*File too large/.test(ready.message) && ready.message;
    });
    expect(said).toContain('the core ended with exit code 1');
    expect(said).toContain('what was open was cancelled');

    // The next process has no such limit: there is room again.
    await until('a new core', 30_000, () => {
      const now = run.findPid(core);
      return now !== undefined && now !== pid;
    });
    const back = Date.now();
    await until('orders of the new core', 30_000, () => trades(back));
    const { report } = await run.stop();
    expect(report.differences).toEqual([]);
    expect(report.ledgerEqualsVenue).toBe(true);
    expect(replayComplaints(run)).toEqual([]);
  } finally {
    run.kill('SIGKILL');
  }
});

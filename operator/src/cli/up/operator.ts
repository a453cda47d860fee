import { join } from 'node:path';
import type { Reaper } from '../../local/index.js';
import { checkout } from './checkout.js';
import { type Child, startChild } from './child.js';
import type { RunDirectory } from './run-directory.js';

const graceMs = 5_000;
/** The operator is started again after 1 s, 2 s, 4 s … 30 s; from the beginning when it ran for a minute. */
const firstRestartMs = 1_000;
const lastRestartMs = 30_000;
const goodRunMs = 60_000;

/** Keeps the operator running: a process of its own, started again, and said so, when it ends. */
export function superviseOperator(
  run: RunDirectory,
  reaper: Reaper,
  say: (line: string) => void,
  maxRestartMs: number,
): { stop(): Promise<void> } {
  let stopping = false;
  let restartMs = firstRestartMs;
  let child: Child;
  const start = () => {
    const startedAt = performance.now();
    child = startChild(
      'the operator',
      // Every namespace: a desk of the user's own is one of its own.
      [process.execPath, join(checkout, 'operator/dist/main.js')],
      { log: join(run.logs, 'operator.log'), stdout: 'log', reaper, env: { KUBECONFIG: run.kubeconfig } },
    );
    void child.ended.then((how) => {
      if (stopping) return;
      if (performance.now() - startedAt >= goodRunMs) restartMs = firstRestartMs;
      say(`${how}; it is started again in ${restartMs / 1_000} s`);
      setTimeout(() => stopping || start(), restartMs).unref();
      restartMs = Math.min(2 * restartMs, lastRestartMs, maxRestartMs);
    });
  };
  start();
  return {
    async stop() {
      stopping = true;
      await child.stop(graceMs);
    },
  };
}

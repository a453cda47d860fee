import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { Reaper } from '../../local/index.js';

/** A process that this run started and stops again. */
export interface Child {
  readonly process: ChildProcess;
  /** Resolves with a sentence when the process has ended. */
  readonly ended: Promise<string>;
  readonly isOver: boolean;
  /** SIGTERM, and SIGKILL after the grace period; resolves when it is gone. */
  stop(graceMs: number): Promise<void>;
}

/** The last line of a log, for an error message; the log has the rest. */
function lastLine(log: string): string {
  const line = readFileSync(log, 'utf8').trimEnd().split('\n').at(-1) ?? '';
  return line === '' ? '' : `: ${line.slice(0, 500)}`;
}

/**
 * Starts a process in a group of its own (Ctrl-C reaches only us), its stderr in a log file, its stdout as asked. It
 * does not outlive us: the reaper ends it when we could not.
 */
export function startChild(
  name: string,
  [command, ...args]: readonly [string, ...string[]],
  options: { log: string; stdout: 'pipe' | 'log'; reaper: Reaper; env?: Record<string, string> },
): Child {
  const log = openSync(options.log, 'a', 0o600);
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', options.stdout === 'pipe' ? 'pipe' : log, log],
    env: { ...process.env, ...options.env },
  });
  closeSync(log);
  const { pid } = child;
  if (pid !== undefined) options.reaper.add(pid);
  let over = false;
  const ended = new Promise<string>((resolve) => {
    const finish = (how: string) => {
      over = true;
      if (pid !== undefined) options.reaper.remove(pid);
      resolve(`${name} ${how} (log: ${options.log})`);
    };
    child.once('error', (error) => finish(`could not be started: ${error.message}`));
    // Whoever exits by itself says why on its last line.
    child.once('exit', (code, signal) =>
      finish(signal ? `was ended by ${signal}` : `exited with code ${code}${lastLine(options.log)}`),
    );
  });
  return {
    process: child,
    ended,
    get isOver() {
      return over;
    },
    async stop(graceMs) {
      if (over) return;
      child.kill('SIGTERM');
      const kill = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await ended;
      clearTimeout(kill);
    },
  };
}

import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { FlashpodError } from '../../errors.js';

/** How many finished runs are kept for a look at their logs and journals. */
const keptRuns = 5;

/** One folder per run. Its path is short: unix sockets live below it, and their paths end at 107 bytes. */
export interface RunDirectory {
  readonly path: string;
  readonly kubeconfig: string;
  readonly logs: string;
}

const base = (): string => join(tmpdir(), `flashpod-${userInfo().uid}`);

/** Keys and tokens of the runs lie in it: nobody else may have made it, or look into it. */
function isOurs(path: string): boolean {
  const found = lstatSync(path);
  return found.isDirectory() && found.uid === userInfo().uid && (found.mode & 0o077) === 0;
}

function makeBase(): string {
  const path = base();
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (!isOurs(path))
    throw new FlashpodError('up.failed', `${path} is not a folder that only its owner, you, can use`, {
      remedy: 'Remove it, or set TMPDIR to a folder of your own.',
    });
  return path;
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Whether the process that made the run is still there. */
function isUp(run: string): boolean {
  const file = join(base(), run, 'pid');
  const pid = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  return pid > 0 && alive(pid);
}

/** Names of all runs, newest first. */
function runs(): string[] {
  if (!existsSync(base()) || !isOurs(base())) return [];
  return readdirSync(base())
    .filter((name) => /^r\d+$/.test(name))
    .sort((a, b) => Number(b.slice(1)) - Number(a.slice(1)));
}

/** The next number that no run has; another run may be looking for one at the same time. */
function makeNext(folder: string): string {
  for (let number = Number(runs()[0]?.slice(1) ?? 0) + 1; ; number += 1) {
    const path = join(folder, `r${number}`);
    try {
      mkdirSync(path, { mode: 0o700 });
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** Makes the folder of a new run, and removes all but the newest finished ones. */
export function createRunDirectory(): RunDirectory {
  const folder = makeBase();
  const finished = runs().filter((run) => !isUp(run));
  for (const old of finished.slice(keptRuns - 1)) rmSync(join(folder, old), { recursive: true, force: true });
  const path = makeNext(folder);
  writeFileSync(join(path, 'pid'), String(process.pid));
  const logs = join(path, 'logs');
  mkdirSync(logs);
  return { path, kubeconfig: join(path, 'kubeconfig'), logs };
}

/** The kubeconfig of the newest local run that is up, if any. */
export function currentKubeconfig(): string | undefined {
  const run = runs().find((name) => isUp(name) && existsSync(join(base(), name, 'kubeconfig')));
  return run === undefined ? undefined : join(base(), run, 'kubeconfig');
}

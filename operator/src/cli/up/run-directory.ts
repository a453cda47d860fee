import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** How many finished runs are kept for a look at their logs and journals. */
const keptRuns = 5;

/** One folder per run. Its path is short: unix sockets live below it, and their paths end at 107 bytes. */
export interface RunDirectory {
  readonly path: string;
  readonly kubeconfig: string;
  readonly logs: string;
}

function base(): string {
  return join(tmpdir(), `flashpod-${userInfo().uid}`);
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function ownerOf(run: string): number | undefined {
  const file = join(base(), run, 'pid');
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined;
}

function finishedRuns(): string[] {
  return readdirSync(base())
    .filter((name) => /^r\d+$/.test(name))
    .filter((name) => {
      const pid = ownerOf(name);
      return pid === undefined || !alive(pid);
    })
    .sort((a, b) => Number(b.slice(1)) - Number(a.slice(1)));
}

/** Makes the folder of a new run, points `current` at it, and removes all but the newest finished runs. */
export function createRunDirectory(): RunDirectory {
  mkdirSync(base(), { recursive: true, mode: 0o700 });
  for (const old of finishedRuns().slice(keptRuns - 1))
    rmSync(join(base(), old), { recursive: true, force: true });
  const numbers = readdirSync(base()).map((name) => Number(/^r(\d+)$/.exec(name)?.[1] ?? 0));
  const path = join(base(), `r${Math.max(0, ...numbers) + 1}`);
  mkdirSync(path, { mode: 0o700 });
  writeFileSync(join(path, 'pid'), String(process.pid));
  const logs = join(path, 'logs');
  mkdirSync(logs);
  const current = join(base(), 'current');
  rmSync(current, { force: true });
  symlinkSync(path, current);
  return { path, kubeconfig: join(path, 'kubeconfig'), logs };
}

/** The kubeconfig of the local run that is up now, if any. */
export function currentKubeconfig(): string | undefined {
  const current = join(base(), 'current');
  const file = join(current, 'kubeconfig');
  const pid = join(current, 'pid');
  return existsSync(file) && existsSync(pid) && alive(Number(readFileSync(pid, 'utf8'))) ? file : undefined;
}

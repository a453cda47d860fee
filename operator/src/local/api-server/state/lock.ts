import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FlashpodError } from '../../../errors.js';

const FILE_MODE = 0o600;
/** Each more than one is another process that takes it away from under us, or lets it go. */
const ATTEMPTS = 100;

/**
 * Makes the folder this process's own. The file comes with its content or not at all: a link to one that is whole. So
 * of two processes that want it at the same time, one gets it.
 */
export function lock(directory: string): void {
  const path = fileOf(directory);
  const mine = `${path}.${process.pid}`;
  writeFileSync(mine, ownName(), { mode: FILE_MODE });
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      if (made(mine, path)) return;
      const holder = content(path);
      if (holder === undefined) continue;
      if (isHeld(holder)) break;
      takeAway(path, holder);
    }
    const [pid] = (content(path) ?? '').split(' ');
    throw new FlashpodError('local.state-directory', `${directory} is in use by process ${pid}`);
  } finally {
    rmSync(mine, { force: true });
  }
}

export function unlock(directory: string): void {
  const path = fileOf(directory);
  if (content(path) === ownName()) rmSync(path, { force: true });
}

function fileOf(directory: string): string {
  return join(directory, 'lock');
}

function made(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Of one that died. Another process may have done so and locked since: then it gets its lock back. */
function takeAway(path: string, holder: string): void {
  const taken = `${path}.${process.pid}.old`;
  try {
    renameSync(path, taken);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (content(taken) !== holder) made(taken, path);
  rmSync(taken, { force: true });
}

function content(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The number of a process and, where the system tells, when it began: numbers come again. */
function ownName(): string {
  return `${process.pid} ${beginningOf(process.pid)}`.trimEnd();
}

function isHeld(holder: string): boolean {
  const [number, beginning] = holder.split(' ');
  const pid = Number(number);
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return false;
  if (beginning !== undefined) return beginning === beginningOf(pid);
  return pid !== process.pid;
}

/** Field 22 of /proc/PID/stat, in ticks since the machine began; '' where there is no such file. */
function beginningOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name before may hold blanks and brackets.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

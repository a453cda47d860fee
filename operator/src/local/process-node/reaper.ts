import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';

/**
 * Sits on the other end of a pipe. While the pipe is open it only notes which process groups live; when it closes,
 * our process has ended in whatever way, and it kills the groups that are left. Portable, and needs no privileges.
 */
const SCRIPT = `
const groups = new Set();
let rest = '';
process.stdin.on('data', (chunk) => {
  const lines = (rest + chunk).split('\\n');
  rest = lines.pop();
  for (const line of lines) {
    if (line[0] === '+') groups.add(Number(line.slice(1)));
    else groups.delete(Number(line.slice(1)));
  }
});
process.stdin.on('end', () => {
  for (const group of groups) try { process.kill(-group, 'SIGKILL'); } catch {}
  process.exit(0);
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
`;

export class Reaper {
  readonly #process: ChildProcess;

  constructor() {
    // A session of its own: Ctrl-C in our terminal must not take it before us.
    this.#process = spawn(process.execPath, ['-e', SCRIPT], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    this.#process.on('error', () => {});
    this.#process.stdin?.on('error', () => {});
    // Neither the process nor the pipe to it is a reason for us to stay.
    this.#process.unref();
    (this.#process.stdin as Socket | null)?.unref();
  }

  add(group: number): void {
    this.#process.stdin?.write(`+${group}\n`);
  }

  remove(group: number): void {
    this.#process.stdin?.write(`-${group}\n`);
  }

  close(): void {
    this.#process.stdin?.end();
  }
}

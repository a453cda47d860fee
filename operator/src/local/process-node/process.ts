import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Clock } from '../../kube/clock.js';
import type { Reaper } from './reaper.js';

export interface Launch {
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** An open file for stdout and stderr. */
  readonly log: number;
}

export interface Exit {
  readonly exitCode: number;
  readonly signal?: number;
}

/** One run of a container: a process that leads a group of its own, so that nothing it starts outlives it. */
export class ContainerProcess {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  readonly #clock: Clock;
  #gone = false;

  private constructor(child: ChildProcess, pid: number, clock: Clock, reaper: Reaper) {
    this.pid = pid;
    this.#clock = clock;
    reaper.add(pid);
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#gone = true;
        // As when the first process of a container ends: the rest of it goes too.
        signalGroup(pid, 'SIGKILL');
        reaper.remove(pid);
        resolve(exitOf(code, signal));
      });
    });
  }

  /** Throws what spawn gives when there is no such program. */
  static async start(launch: Launch, clock: Clock, reaper: Reaper): Promise<ContainerProcess> {
    const [program, ...args] = launch.argv;
    const child = spawn(program, args, {
      cwd: launch.cwd,
      env: { ...launch.env },
      stdio: ['ignore', launch.log, launch.log],
      detached: true,
    });
    if (child.pid !== undefined) return new ContainerProcess(child, child.pid, clock, reaper);
    throw await new Promise<Error>((resolve) => child.once('error', resolve));
  }

  /** SIGTERM to the process; SIGKILL to its group when it is still there after `graceMs`. */
  async terminate(graceMs: number): Promise<Exit> {
    if (this.#gone) return this.exited;
    if (graceMs <= 0) {
      this.kill();
      return this.exited;
    }
    signal(this.pid, 'SIGTERM');
    const cancel = this.#clock.after(graceMs, () => this.kill());
    try {
      return await this.exited;
    } finally {
      cancel();
    }
  }

  kill(): void {
    if (!this.#gone) signalGroup(this.pid, 'SIGKILL');
  }
}

/** As container runtimes report it: 128 + the number of the signal. */
function exitOf(code: number | null, signal: NodeJS.Signals | null): Exit {
  if (signal === null) return { exitCode: code ?? 0 };
  const number = constants.signals[signal];
  return { exitCode: 128 + number, signal: number };
}

function signalGroup(group: number, name: NodeJS.Signals): void {
  signal(-group, name);
}

function signal(target: number, name: NodeJS.Signals): void {
  try {
    process.kill(target, name);
  } catch {
    // Gone already.
  }
}

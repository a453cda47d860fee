import { appendFileSync, closeSync, fstatSync, openSync } from 'node:fs';
import { messageOf } from '../../errors.js';
import { type Clock, sleep } from '../../kube/clock.js';
import { timestamp } from '../../kube/conditions.js';
import type { Container, ContainerState, ContainerStatus } from '../../kube/pod.js';
import { watchProbes } from './container-probes.js';
import { ConfigError } from './environment.js';
import { repositoryOf } from './images.js';
import { lastWords } from './last-words.js';
import type { LaunchPlan } from './launch.js';
import { untilOverLimit } from './memory-limit.js';
import { ContainerProcess, type Exit } from './process.js';
import type { Reaper } from './reaper.js';

export type RestartPolicy = 'Always' | 'OnFailure' | 'Never';

/** What a container needs of the pod it is in. */
export interface ContainerHost {
  readonly clock: Clock;
  readonly reaper: Reaper;
  readonly podIP: string;
  readonly graceMs: number;
  /** Longest wait before a container is started again. */
  readonly maxBackoffMs: number;
  /** How to start it the next time. */
  plan(container: Container): Promise<LaunchPlan>;
  changed(): void;
  event(type: 'Normal' | 'Warning', reason: string, note: string): void;
}

const FIRST_BACKOFF_MS = 10_000;
export const MAX_BACKOFF_MS = 300_000;
/** A container that ran for so long has shown that it can. */
const BACKOFF_RESET_MS = 600_000;
const CONFIG_RETRY_MS = 2000;

/** One container of a pod over all its restarts. */
export class ContainerUnit {
  readonly container: Container;
  readonly #host: ContainerHost;
  readonly #policy: RestartPolicy;
  readonly #stop = new AbortController();
  readonly #firstStart = Promise.withResolvers<void>();
  #process: ContainerProcess | undefined;
  /** Where the present run writes, and from which byte on. */
  #log: { readonly file: string; readonly from: number } | undefined;
  #running: Promise<void> | undefined;
  #state: ContainerState = { waiting: { reason: 'PodInitializing' } };
  #lastState: ContainerState = {};
  #restarts: number;
  #started = false;
  #ready = false;
  #graceMs: number;
  #backoffMs = 0;

  constructor(container: Container, policy: RestartPolicy, host: ContainerHost, restarts = 0) {
    this.container = container;
    this.#policy = policy;
    this.#host = host;
    this.#restarts = restarts;
    this.#graceMs = host.graceMs;
  }

  start(): void {
    this.#running ??= this.#run().finally(() => this.#firstStart.resolve());
  }

  /** Resolves when it first ran and passed its startup probe; also when it ended before that. */
  get started(): Promise<void> {
    return this.#firstStart.promise;
  }

  /** Resolves when it ended for good. */
  get finished(): Promise<void> {
    return this.#running ?? Promise.resolve();
  }

  /** Set once it ended for good. */
  get exitCode(): number | undefined {
    return this.#state.terminated?.exitCode;
  }

  /** Ends it for good. */
  async stop(graceMs: number): Promise<void> {
    this.#graceMs = graceMs;
    this.#stop.abort();
    await this.#process?.terminate(graceMs);
    await this.finished;
  }

  /** Shortens a stop that is under way. */
  kill(): void {
    this.#process?.kill();
  }

  get status(): ContainerStatus {
    const { name, image } = this.container;
    return {
      name,
      image,
      imageID: `process://${repositoryOf(image)}`,
      ready: this.#ready,
      started: this.#started,
      restartCount: this.#restarts,
      state: this.#state,
      lastState: this.#lastState,
      ...(this.#process === undefined ? {} : { containerID: `process://${this.#process.pid}` }),
    };
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const startedAt = this.#host.clock.now();
      const exit = await this.#runOnce();
      if (exit === undefined) continue;
      if (this.#stop.signal.aborted || !this.#restartsAfter(exit)) return;
      this.#lastState = this.#state;
      await this.#backOff(this.#host.clock.now() - startedAt);
      if (this.#stop.signal.aborted) return;
      this.#restarts += 1;
    }
  }

  /** Undefined when it could not be started and is to be tried again. */
  async #runOnce(): Promise<Exit | undefined> {
    const launched = await this.#launch();
    if (launched === undefined) return undefined;
    const startedAt = timestamp(this.#host.clock.wall());
    this.#set({ running: { startedAt } });
    this.#host.event('Normal', 'Started', `Started container ${this.container.name}`);
    const ended = new AbortController();
    watchProbes(this.container, this.#host, ended.signal, {
      started: () => this.#hasStarted(),
      ready: (ready) => this.#isReady(ready),
      failed: (probe, why) => this.#unhealthy(launched, probe, why),
    });
    const killed = this.#killOverLimit(launched, ended.signal);
    if (this.#stop.signal.aborted) await launched.terminate(this.#graceMs);
    const exit = await launched.exited;
    ended.abort();
    this.#started = false;
    this.#ready = false;
    const overLimit = await killed;
    const reason = overLimit ? 'OOMKilled' : exit.exitCode === 0 ? 'Completed' : 'Error';
    const said = overLimit ?? this.#lastWords(exit);
    const message = said === undefined ? {} : { message: said };
    const finishedAt = timestamp(this.#host.clock.wall());
    const containerID = `process://${launched.pid}`;
    this.#set({ terminated: { ...exit, reason, ...message, startedAt, finishedAt, containerID } });
    return exit;
  }

  /** What the pod's status says of its end: the end of its log, where the container asks for that. */
  #lastWords({ exitCode }: Exit): string | undefined {
    const wanted = this.container.terminationMessagePolicy === 'FallbackToLogsOnError' && exitCode !== 0;
    return wanted && this.#log !== undefined ? lastWords(this.#log.file, this.#log.from) : undefined;
  }

  /** As the kernel does it in a cgroup. What it was killed for. */
  async #killOverLimit(running: ContainerProcess, until: AbortSignal): Promise<string | undefined> {
    const why = await untilOverLimit(running.pid, this.container, this.#host.clock, until);
    if (why === undefined) return undefined;
    running.kill();
    this.#host.event('Warning', 'OOMKilled', `Container ${this.container.name} was killed: ${why}`);
    return why;
  }

  async #launch(): Promise<ContainerProcess | undefined> {
    try {
      const { logFile, ...launch } = await this.#host.plan(this.container);
      const log = openSync(logFile, 'a', 0o600);
      // Where this run begins in the log: kubectl logs shows one run, --previous the one before.
      const from = fstatSync(log).size;
      appendFileSync(`${logFile}.runs`, `${from}\n`, { mode: 0o600 });
      this.#log = { file: logFile, from };
      try {
        this.#process = await ContainerProcess.start({ ...launch, log }, this.#host.clock, this.#host.reaper);
        return this.#process;
      } finally {
        closeSync(log);
      }
    } catch (error) {
      const reason = error instanceof ConfigError ? 'CreateContainerConfigError' : 'RunContainerError';
      this.#set({ waiting: { reason, message: messageOf(error) } });
      this.#host.event('Warning', 'Failed', `container ${this.container.name}: ${messageOf(error)}`);
      await sleep(this.#host.clock, CONFIG_RETRY_MS, this.#stop.signal);
      return undefined;
    }
  }

  #restartsAfter(exit: Exit): boolean {
    return this.#policy === 'Always' || (this.#policy === 'OnFailure' && exit.exitCode !== 0);
  }

  /** As the kubelet: at once the first time, then 10 s, 20 s … 300 s, from the beginning after a long good run. */
  async #backOff(ranMs: number): Promise<void> {
    if (ranMs >= BACKOFF_RESET_MS) this.#backoffMs = 0;
    const waitMs = this.#backoffMs;
    this.#backoffMs = Math.min(waitMs === 0 ? FIRST_BACKOFF_MS : waitMs * 2, this.#host.maxBackoffMs);
    if (waitMs === 0) return;
    const text = `back-off ${waitMs / 1000}s restarting failed container=${this.container.name}`;
    this.#set({ waiting: { reason: 'CrashLoopBackOff', message: text } });
    this.#host.event('Warning', 'BackOff', text);
    await sleep(this.#host.clock, waitMs, this.#stop.signal);
  }

  #hasStarted(): void {
    this.#started = true;
    this.#ready = this.container.readinessProbe === undefined;
    this.#firstStart.resolve();
    this.#host.changed();
  }

  #isReady(ready: boolean): void {
    this.#ready = ready;
    this.#host.changed();
  }

  #unhealthy(running: ContainerProcess, probe: string, why: string): void {
    const note = `Container ${this.container.name} failed ${probe} probe, will be restarted: ${why}`;
    this.#host.event('Normal', 'Killing', note);
    void running.terminate(this.#graceMs);
  }

  #set(state: ContainerState): void {
    this.#state = state;
    this.#host.changed();
  }
}

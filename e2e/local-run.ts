import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LedgerReply } from '@flashpod/proto';
import { Agent, request } from 'undici';
import type { VenueAccount, VenueAudit } from '../operator/src/cli/up/audit.ts';
import { readLedger } from '../operator/src/cli/up/ledger.ts';
import { agentSocketOf } from '../operator/src/cli/up/objects.ts';
import type { Report } from '../operator/src/cli/up/report.ts';
import { ConfigMaps, KubeClient, Secrets } from '../operator/src/kube/index.ts';
import { checkout, until } from './shared.ts';

const node = join(checkout, 'node_modules/.bin/node');
const flashpod = join(checkout, 'operator/bin/flashpod.js');
const upWithinMs = 40_000;
const downWithinMs = 60_000;

export interface Finished {
  readonly code: number | null;
  readonly output: string;
}

/** Runs the `flashpod` command to its end. */
export function runFlashpod(
  args: string[],
  env: Record<string, string> = {},
  input?: string,
): Promise<Finished> {
  const child = spawn(node, [flashpod, ...args], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(input ?? '');
  return finished(child);
}

function finished(child: ChildProcess): Promise<Finished> {
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })));
}

/** All processes below one. */
function descendants(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return text
      .split(/\s+/)
      .filter(Boolean)
      .map(Number)
      .flatMap((child) => [child, ...descendants(child)]);
  } catch {
    // It ended while we looked.
    return [];
  }
}

/** A process below another one, found by a part of its command line. */
function descendant(pid: number, commandPart: string): number | undefined {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(/\s+/)
    .filter(Boolean)
    .map(Number);
  for (const child of children) {
    try {
      if (readFileSync(`/proc/${child}/cmdline`, 'utf8').replaceAll('\0', ' ').includes(commandPart))
        return child;
      const deeper = descendant(child, commandPart);
      if (deeper !== undefined) return deeper;
    } catch {
      // It ended while we looked.
    }
  }
  return undefined;
}

/** A local run as a process, seen from outside: through its API server, its venue, and its report. */
export class LocalRun {
  readonly client: KubeClient;
  readonly kubeconfig: string;
  readonly folder: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<Finished>;
  readonly #report: string;
  /** The report as text, taken out of its folder once the run has ended. */
  #written: string | undefined;
  readonly #venue: { rest: string; dispatcher: Agent; apiKey: string };

  private constructor(
    child: ChildProcess,
    ended: Promise<Finished>,
    report: string,
    kubeconfig: string,
    client: KubeClient,
    venue: { rest: string; dispatcher: Agent; apiKey: string },
  ) {
    this.#child = child;
    this.#ended = ended;
    this.#report = report;
    this.kubeconfig = kubeconfig;
    this.folder = join(kubeconfig, '..');
    this.client = client;
    this.#venue = venue;
  }

  static async start(args: string[] = []): Promise<LocalRun> {
    const report = join(mkdtempSync(join(tmpdir(), 'flashpod-e2e-')), 'report.json');
    const child = spawn(node, [flashpod, 'up', '--headless', '--report', report, ...args], {
      env: { ...process.env, FLASHPOD_STARTED_AT: String(Date.now()) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let seen = '';
    child.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    const ended = finished(child);
    let over: Finished | undefined;
    void ended.then((result) => (over = result));
    const kubeconfig = await until('the kubeconfig of the local run', upWithinMs, () => {
      if (over) throw new Error(`flashpod up ended with ${over.code}:\n${over.output}`);
      return /kubeconfig (\/\S+)/.exec(seen)?.[1];
    }).catch((error: unknown) => {
      child.kill('SIGKILL');
      throw error;
    });
    const rest = /venue +(https:\/\/\S+)/.exec(seen)?.[1] ?? '';
    const client = KubeClient.load({ kubeconfig });
    const ca = await client.of(ConfigMaps).get({ namespace: 'default', name: 'venue-ca' });
    const secret = await client.of(Secrets).get({ namespace: 'default', name: 'mexc-credentials' });
    return new LocalRun(child, ended, report, kubeconfig, client, {
      rest,
      dispatcher: new Agent({ connect: { ca: ca.data?.['ca.crt'] ?? '' } }),
      apiKey: Buffer.from(secret.data?.['apiKey'] ?? '', 'base64').toString(),
    });
  }

  /** The exchange's own books of the run's account, or of another one at the same exchange. */
  async audit(key = this.#venue.apiKey): Promise<VenueAccount> {
    const audit = await this.#audit();
    const account = audit.accounts.find(({ apiKey }) => apiKey === key);
    if (!account) throw new Error('the venue has no such account');
    return account;
  }

  /** How often each kind of fault met something. */
  async faultsMet(): Promise<Record<string, number>> {
    return (await this.#audit()).counters.faults ?? {};
  }

  async #audit(): Promise<VenueAudit & { counters: { faults?: Record<string, number> } }> {
    const { body } = await request(`${this.#venue.rest}/audit`, { dispatcher: this.#venue.dispatcher });
    return (await body.json()) as VenueAudit;
  }

  /** A core's books of an account, by default of the run's, from the socket of its agent. */
  ledger(account = 'main', core = 'core', namespace = 'default'): Promise<LedgerReply> {
    return readLedger(agentSocketOf(join(this.folder, 'n/host'), core, namespace), account);
  }

  /** Process id of a part, e.g. `flashpod-core` or `operator/dist/main.js`. */
  pidOf(commandPart: string): number {
    const pid = this.findPid(commandPart);
    if (pid === undefined) throw new Error(`no process of this run has ${commandPart} in its command line`);
    return pid;
  }

  /** Like `pidOf`, with undefined while there is no such process. */
  findPid(commandPart: string): number | undefined {
    return descendant(this.#child.pid ?? 0, commandPart);
  }

  /** Process id of the part with this in its environment, e.g. the sidecar of an instance. */
  findPidWith(name: string, value: string): number | undefined {
    return descendants(this.#child.pid ?? 0).find((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`${name}=${value}`);
      } catch {
        return false;
      }
    });
  }

  /** `flashpod` against this run. */
  flashpod(args: string[], input?: string): Promise<Finished> {
    return runFlashpod(args, { KUBECONFIG: this.kubeconfig }, input);
  }

  /** Ends the run as Ctrl-C does and reads its report. */
  async stop(): Promise<{ report: Report; output: string }> {
    this.#child.kill('SIGINT');
    return this.report();
  }

  /** Sends the run itself a signal. */
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits for the end of the run and reads its report; fails when the run failed. */
  async report(withinMs = downWithinMs): Promise<{ report: Report; output: string }> {
    const { code, output } = await this.ended(withinMs);
    if (code !== 0) throw new Error(`flashpod up ended with ${code}:\n${output}`);
    return { report: this.readReport(), output };
  }

  /** After the end of the run. */
  readReport(): Report {
    if (this.#written === undefined) throw new Error('the run wrote no report');
    return JSON.parse(this.#written) as Report;
  }

  /** Waits for the end of the run, however it ends. */
  async ended(withinMs = downWithinMs): Promise<Finished> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.#child.kill('SIGKILL');
        reject(new Error(`the run did not end within ${withinMs} ms`));
      }, withinMs);
    });
    const finished = await Promise.race([this.#ended, late]).finally(() => clearTimeout(timer));
    await this.client.close();
    if (existsSync(this.#report)) this.#written = readFileSync(this.#report, 'utf8');
    rmSync(join(this.#report, '..'), { recursive: true, force: true });
    return finished;
  }
}

// The core as a process that can be held on an order's way, killed, stopped, and started again on what it left.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { checkout, until } from '../shared.ts';
import { type Exchange, ownKey, ownSecret } from './exchange.ts';

const binaries = process.env['FLASHPOD_BIN_DIR'] ?? join(checkout, 'core-engine/target/release');
export const coreBinary = join(binaries, 'flashpod-core-failpoints');

/** Where an order can be held: core-engine/crates/net/src/failpoint.rs. */
export type Place =
  | 'intent-received'
  | 'risk-passed'
  | 'journaled'
  | 'bytes-half-written'
  | 'bytes-written'
  | 'ack-received'
  | 'deal-received';

/** Scaled so that a cell takes seconds; what they do is the same. */
const timing = {
  orderTimeoutMs: 500,
  queryTimeoutMs: 800,
  askFirstMs: 50,
  askMostMs: 400,
  auditPeriodMs: 1_000,
  timeSyncPeriodMs: 5_000,
  pingPeriodMs: 500,
  deadAfterMs: 600,
  reconnectFirstMs: 50,
  reconnectMostMs: 400,
  intentExpiryMs: 3_000,
};

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class Core {
  readonly folder: string;
  readonly #exchange: Exchange;
  #child: ChildProcess | undefined;
  #ended: Promise<Ending> = Promise.resolve({ code: null, signal: null });
  #control: Socket | undefined;
  /** What the failpoints said that nobody has waited for yet. */
  #said: string[] = [];
  /** Lines of the log of this process. */
  log: string[] = [];

  constructor(folder: string, exchange: Exchange) {
    this.folder = folder;
    this.#exchange = exchange;
    const keys = join(folder, 'credentials/main');
    mkdirSync(keys, { recursive: true });
    writeFileSync(join(keys, 'apiKey'), ownKey);
    writeFileSync(join(keys, 'secretKey'), ownSecret);
  }

  get alive(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get sockets(): string {
    return join(this.folder, 's');
  }

  get journal(): string {
    return join(this.folder, 'state/main/journal');
  }

  #configure(): string {
    const file = join(this.folder, 'core.json');
    const { rest, ws } = this.#exchange;
    const account = { name: 'main', environment: 'Simulated', rest, ws, credentials: 'main' };
    const journal = { segmentMiB: 1, keepMiB: 64 };
    writeFileSync(
      file,
      JSON.stringify({ core: 'core', namespace: 'default', accounts: [account], journal, timing }),
    );
    return file;
  }

  /** Starts the process; with `fileSize`, no file of it may grow beyond so many bytes. */
  async start(fileSize?: number): Promise<void> {
    const args = ['run', '--config', this.#configure(), '--state-dir', join(this.folder, 'state')];
    args.push('--socket-dir', this.sockets, '--credentials-dir', join(this.folder, 'credentials'));
    const limited = fileSize === undefined ? [] : [`--fsize=${fileSize}`, coreBinary];
    const control = join(this.folder, 'failpoints');
    const child = spawn(fileSize === undefined ? coreBinary : 'prlimit', [...limited, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, FLASHPOD_FAILPOINTS: control, RUST_LOG: 'info' },
    });
    this.#child = child;
    this.log = [];
    createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) =>
      this.log.push(line),
    );
    this.#ended = new Promise((resolve, reject) => {
      child.once('error', (error) => reject(new Error(`cannot run ${coreBinary}: ${error.message}`)));
      // Not `exit`: all that it said has then been read.
      child.once('close', (code, signal) => resolve({ code, signal }));
    });
    this.#ended.catch(() => {});
    this.#control = await this.#listen(control);
  }

  async #listen(path: string): Promise<Socket | undefined> {
    this.#said = [];
    const attempt = () =>
      new Promise<Socket | undefined>((resolve) => {
        const socket = connect(path, () => resolve(socket));
        socket.once('error', () => resolve(undefined));
      });
    const socket = await until('the core to listen to its failpoints', 10_000, async () => {
      return this.alive ? await attempt() : ('ended' as const);
    });
    if (socket === 'ended') return undefined;
    socket.on('error', () => {});
    createInterface({ input: socket }).on('line', (line) => this.#said.push(line));
    return socket;
  }

  async #say(line: string, answer: string): Promise<void> {
    this.#control?.write(`${line}\n`);
    await this.#hear(answer);
  }

  async #hear(answer: string, withinMs = 10_000): Promise<void> {
    await until(`the core to say ${JSON.stringify(answer)}`, withinMs, () => {
      const refused = this.#said.find((line) => line.startsWith('refused'));
      if (refused) throw new Error(`the core's failpoints: ${refused}`);
      const at = this.#said.indexOf(answer);
      if (at < 0) return false;
      this.#said.splice(at, 1);
      return true;
    });
  }

  /** The next thread at this place will wait there. */
  async arm(place: Place): Promise<void> {
    await this.#say(`arm failpoint-${place}`, `armed failpoint-${place}`);
  }

  /** Whether a thread is held there in time: the core's own word that the stage was reached. */
  held(place: Place, withinMs: number): Promise<boolean> {
    return this.#hear(`held failpoint-${place}`, withinMs).then(
      () => true,
      () => false,
    );
  }

  async release(place: Place): Promise<void> {
    if (this.alive) await this.#say('release', `released failpoint-${place}`);
  }

  async disarm(): Promise<void> {
    await this.#say('disarm', 'disarmed');
  }

  /** Sets the core's wall clock ahead of the host's. */
  async stepClock(ms: number): Promise<void> {
    await this.#say(`clock ${ms}`, `clock ${ms}`);
  }

  /** From now on there is no room for the journal. */
  async fillDisk(): Promise<void> {
    await this.#say('full', 'full');
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Waits for its end. */
  async ended(withinMs = 30_000): Promise<Ending> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`the core did not end within ${withinMs} ms`)), withinMs);
    });
    const ending = await Promise.race([this.#ended, late]).finally(() => clearTimeout(timer));
    this.#control?.destroy();
    return ending;
  }

  async kill(): Promise<Ending> {
    this.signal('SIGKILL');
    return this.ended();
  }
}

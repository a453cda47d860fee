import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { checkout } from './shared.ts';

const binaries = process.env['FLASHPOD_BIN_DIR'] ?? join(checkout, 'core-engine', 'target', 'release');
export const venueBinary = join(binaries, 'flashpod-venue');

export const apiKey = 'judge-key';
export const secret = 'judge-secret';

/** The venue as a process of its own, with one rich account. */
export class Venue {
  readonly rest: string;
  readonly ws: string;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(child: ChildProcess, folder: string, rest: string, ws: string) {
    this.#child = child;
    this.#folder = folder;
    this.rest = rest;
    this.ws = ws;
  }

  static async start(args: string[] = []): Promise<Venue> {
    const folder = mkdtempSync(join(tmpdir(), 'flashpod-venue-test-'));
    const accounts = join(folder, 'accounts.json');
    const balances = { USDC: '1000000', BTC: '10', ETH: '100', MX: '100' };
    writeFileSync(accounts, JSON.stringify({ accounts: [{ apiKey, secretKey: secret, balances }] }));
    const all = ['--listen', '127.0.0.1:0', '--accounts', accounts, ...args];
    const child = spawn(venueBinary, all, { stdio: ['ignore', 'pipe', 'inherit'] });
    const failed = new Promise<never>((_, reject) => {
      child.once('error', (error) => reject(new Error(`cannot run ${venueBinary}: ${error.message}`)));
      child.once('exit', (code) => reject(new Error(`${venueBinary} ended with ${code} before it listened`)));
    });
    failed.catch(() => {});
    const lines = createInterface({ input: child.stdout });
    const first = new Promise<string>((resolve) => lines.once('line', resolve));
    const { rest, ws } = JSON.parse(await Promise.race([first, failed])) as { rest: string; ws: string };
    return new Venue(child, folder, rest, ws);
  }

  async audit(): Promise<Audit> {
    return (await (await fetch(`${this.rest}/audit`)).json()) as Audit;
  }

  /** Ends it by SIGTERM; its exit code. */
  async stop(): Promise<number | null> {
    const code = await new Promise<number | null>((resolve) => {
      this.#child.once('exit', resolve);
      this.#child.kill('SIGTERM');
    });
    rmSync(this.#folder, { recursive: true, force: true });
    return code;
  }
}

export interface Audit {
  accounts: { apiKey: string; orders: { orderId: string; status: string; fills: { tradeId: string }[] }[] }[];
  counters: { http429: number; unknownPaths: Record<string, number> };
}

// The simulated exchange of one pair of processes: faults while it runs, its own books, and a second account that
// trades against ours.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { VenueAccount } from '../../operator/src/cli/up/audit.ts';
import type { Fault } from '../chaos/faults.ts';
import { until } from '../shared.ts';
import { venueBinary } from '../venue.ts';

export const ownKey = 'own-key';
export const ownSecret = 'own-secret';
const rivalKey = 'rival-key';
const rivalSecret = 'rival-secret';
/** Nobody trades with more than that in a cell. */
const balances = { USDC: '100000000', BTC: '1000', ETH: '1000', MX: '100' };

interface Audit {
  readonly accounts: readonly VenueAccount[];
  readonly counters: {
    readonly faults: Readonly<Record<string, number>>;
    readonly faultsEach: readonly number[];
  };
}

export class Exchange {
  readonly rest: string;
  readonly ws: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, rest: string, ws: string) {
    this.#child = child;
    this.rest = rest;
    this.ws = ws;
  }

  static async start(folder: string, seed: number): Promise<Exchange> {
    const accounts = join(folder, 'accounts.json');
    const account = (apiKey: string, secretKey: string) => ({ apiKey, secretKey, balances });
    writeFileSync(
      accounts,
      JSON.stringify({ accounts: [account(ownKey, ownSecret), account(rivalKey, rivalSecret)] }),
    );
    const settings = ['faultControl=on', 'httpIdleMs=4000', 'banAfter=0'].flatMap((set) => ['--set', set]);
    const args = ['--listen', '127.0.0.1:0', '--accounts', accounts, `--synthetic=${seed}`, ...settings];
    const child = spawn(venueBinary, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, RUST_LOG: 'error' },
    });
    const failed = new Promise<never>((_, reject) => {
      child.once('error', (error) => reject(new Error(`cannot run ${venueBinary}: ${error.message}`)));
      child.once('exit', (code) => reject(new Error(`${venueBinary} ended with ${code} before it listened`)));
    });
    failed.catch(() => {});
    const line = new Promise<string>((resolve) =>
      createInterface({ input: child.stdout as NodeJS.ReadableStream }).once('line', resolve),
    );
    const { rest, ws } = JSON.parse(await Promise.race([line, failed])) as { rest: string; ws: string };
    return new Exchange(child, rest, ws);
  }

  /** These faults and no others from now on; what struck is counted anew. */
  async setFaults(faults: readonly Fault[]): Promise<void> {
    const reply = await fetch(`${this.rest}/faults`, { method: 'PUT', body: JSON.stringify({ faults }) });
    if (!reply.ok) throw new Error(`the exchange refuses the faults: ${await reply.text()}`);
  }

  async #audit(): Promise<Audit> {
    return (await (await fetch(`${this.rest}/audit`)).json()) as Audit;
  }

  /** How often each of the faults in force has struck. */
  async struck(): Promise<readonly number[]> {
    return (await this.#audit()).counters.faultsEach;
  }

  /** Waits until faults of this kind have struck. */
  async hasStruck(kind: string, withinMs = 10_000): Promise<number> {
    return until(`the exchange to count a fault of kind ${kind}`, withinMs, async () => {
      const { counters } = await this.#audit();
      return counters.faults[kind] || undefined;
    });
  }

  /** The exchange's own books of our account. */
  async account(): Promise<VenueAccount> {
    const account = (await this.#audit()).accounts.find(({ apiKey }) => apiKey === ownKey);
    if (!account) throw new Error('the exchange has no such account');
    return account;
  }

  async #signed<T>(method: string, path: string, params: Record<string, string>, own: boolean): Promise<T> {
    const [key, secret] = own ? [ownKey, ownSecret] : [rivalKey, rivalSecret];
    const query = new URLSearchParams({ ...params, timestamp: String(Date.now()) }).toString();
    const signature = createHmac('sha256', secret).update(query).digest('hex');
    const reply = await fetch(`${this.rest}${path}?${query}&signature=${signature}`, {
      method,
      headers: { 'X-MEXC-APIKEY': key, 'content-type': 'application/json' },
    });
    const body = await reply.text();
    if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${body}`);
    return JSON.parse(body) as T;
  }

  /** The other account sells or buys at once what it can at this price. */
  async rivalTakes(symbol: string, side: 'BUY' | 'SELL', quantity: string, price: string): Promise<void> {
    const order = { symbol, side, type: 'IMMEDIATE_OR_CANCEL', quantity, price };
    await this.#signed('POST', '/api/v3/order', order, false);
  }

  /** Ends every listen key of our account, as their expiry does; how many there were. */
  async endListenKeys(): Promise<number> {
    const path = '/api/v3/userDataStream';
    const { listenKey } = await this.#signed<{ listenKey: string[] }>('GET', path, {}, true);
    for (const key of listenKey) await this.#signed('DELETE', path, { listenKey: key }, true);
    return listenKey.length;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    await ended;
  }
}

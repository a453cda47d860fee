// One exchange and one core with the peers of the core, and what both hold against each other.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareLedgers } from '../../operator/src/cli/up/audit.ts';
import { until } from '../shared.ts';
import { Agent } from './agent.ts';
import { Core } from './core.ts';
import { Exchange } from './exchange.ts';
import { Sidecar } from './sidecar.ts';

const activeWithinMs = 20_000;
const equalWithinMs = 20_000;

export class World {
  readonly folder: string;
  readonly exchange: Exchange;
  readonly core: Core;
  readonly agent: Agent;
  readonly sidecar: Sidecar;

  private constructor(folder: string, exchange: Exchange, core: Core) {
    this.folder = folder;
    this.exchange = exchange;
    this.core = core;
    this.agent = new Agent(core);
    this.sidecar = new Sidecar(core);
  }

  static async start(seed: number): Promise<World> {
    const folder = mkdtempSync(join(tmpdir(), 'fp-faults-'));
    const exchange = await Exchange.start(folder, seed);
    const core = new Core(folder, exchange);
    await core.start();
    return new World(folder, exchange, core);
  }

  /** Starts the core again if it is not there, and waits until it trades. */
  async recover(): Promise<void> {
    if (!this.core.alive) await this.core.start();
    await this.agent.active(activeWithinMs);
    await this.sidecar.market();
  }

  /** Cancels what is open, and waits until the ledger says in every order, fill and balance what the exchange says. */
  async settle(): Promise<void> {
    let differences: readonly string[] = [];
    await until('the ledger to equal the books of the exchange', equalWithinMs, async () => {
      this.sidecar.cancelAll();
      const books = await this.exchange.account();
      const ledger = await this.agent.ledger().catch(() => undefined);
      if (!ledger) return false;
      ({ differences } = compareLedgers(ledger, books));
      const open = books.orders.filter(({ closedUnixNs }) => closedUnixNs === null);
      if (open.length > 0) differences = [...differences, `${open.length} orders are open at the exchange`];
      return differences.length === 0;
    }).catch((error: Error) => {
      throw new Error(`${error.message}: ${differences.join('; ')}`);
    });
  }

  async stop(): Promise<void> {
    this.agent.close();
    this.sidecar.close();
    if (this.core.alive) await this.core.kill();
    await this.exchange.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

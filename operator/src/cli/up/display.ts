import type { ExecutionCore, StrategyInstance } from '@flashpod/crds';
import { messageOf } from '../../errors.js';
import type { KubeClient } from '../../kube/index.js';
import { resourceOf } from '../kinds.js';
import { strategyFigures } from './figures.js';
import { namespace } from './objects.js';
import { renderTable } from './table.js';

const tableEveryMs = 500;
const headlessEveryMs = 5_000;
const clearDown = '\x1b[J';
const up = (lines: number): string => (lines > 0 ? `\x1b[${lines}A\r` : '');

/** What the user sees: lines that stay, and below them a table that is drawn again and again. */
export class Display {
  readonly #live: boolean;
  readonly #startedAt = Date.now();
  #timer: NodeJS.Timeout | undefined;
  #drawn = 0;
  #table: readonly string[] = [];
  #metrics: string | undefined;

  constructor(headless: boolean) {
    this.#live = !headless && process.stdout.isTTY === true;
  }

  /** A line with the time since the start. */
  say(line: string): void {
    const seconds = ((Date.now() - this.#startedAt) / 1_000).toFixed(1).padStart(5);
    this.print(`[${seconds} s] ${line}`);
  }

  print(line: string): void {
    process.stdout.write(`${up(this.#drawn)}${this.#drawn > 0 ? clearDown : ''}${line}\n`);
    this.#drawn = 0;
    if (this.#timer && this.#live) this.#draw();
  }

  /** Reads the figures from the API server and shows them, until `stop`. */
  watch(client: KubeClient): void {
    const refresh = async () => {
      try {
        const [instances, cores] = await Promise.all([
          client.of(resourceOf('StrategyInstance')).list({ namespace }),
          client.of(resourceOf('ExecutionCore')).list({ namespace }),
        ]);
        if (this.#timer) this.#show(instances.items, cores.items);
      } catch (error) {
        if (this.#timer) this.say(`cannot read figures: ${messageOf(error)}`);
      }
    };
    this.#timer = setInterval(() => void refresh(), this.#live ? tableEveryMs : headlessEveryMs);
    void refresh();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#drawn = 0;
  }

  #show(instances: readonly StrategyInstance[], cores: readonly ExecutionCore[]): void {
    const metrics = cores.map((core) => core.status?.metricsAddress).find((address) => address !== undefined);
    if (metrics !== undefined && metrics !== this.#metrics) {
      this.#metrics = metrics;
      this.say(`metrics    http://${metrics}/metrics`);
    }
    const rows = strategyFigures(instances, cores);
    if (this.#live) {
      // In local mode every account is simulated; the account's own column is in `flashpod get accounts`.
      this.#table = ['', ...renderTable(rows, 'Simulated'), '', 'Ctrl-C stops in order'];
      this.#draw();
      return;
    }
    for (const row of rows) {
      this.say(
        `${row.name} ${row.symbol} ${row.state}: ${row.acceptedOrders} orders, ${row.fills} fills, ${row.rejects} rejects, ` +
          `position ${row.position}, realised ${row.realisedPnl}, book ${row.book}`,
      );
    }
  }

  #draw(): void {
    const width = process.stdout.columns ?? 200;
    const lines = this.#table.map((line) => line.slice(0, width - 1));
    process.stdout.write(`${up(this.#drawn)}${clearDown}${lines.join('\n')}\n`);
    this.#drawn = lines.length;
  }
}

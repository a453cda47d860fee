import { messageOf } from '../../errors.js';
import { type KubeClient, Pods } from '../../kube/index.js';
import { resourceOf } from '../kinds.js';
import { type StrategyFigures, strategyFigures } from './figures.js';
import { namespace } from './objects.js';
import { RestartWatch } from './restarts.js';
import { renderTable } from './table.js';

const tableEveryMs = 500;
const headlessEveryMs = 5_000;
const clearDown = '\x1b[J';
const up = (rows: number): string => (rows > 0 ? `\x1b[${rows}A\r${clearDown}` : '');

/** How many rows lines take on a terminal; one that has become narrower has broken them. */
export function rowsOf(lines: readonly string[], width: number): number {
  return lines.reduce((rows, line) => rows + Math.max(1, Math.ceil(line.length / width)), 0);
}

/** What of the lines a terminal has room for: whatever ran out of it could not be drawn over. */
export function fit(lines: readonly string[], width: number, height: number): string[] {
  return lines.slice(0, Math.max(0, height - 1)).map((line) => line.slice(0, width - 1));
}

/** What the user sees: lines that stay, and below them a table that is drawn again and again. */
export class Display {
  readonly #live: boolean;
  readonly #startedAt = Date.now();
  #timer: NodeJS.Timeout | undefined;
  #drawn: readonly string[] = [];
  readonly #restarts = new RestartWatch();
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
    process.stdout.write(`${this.#erase()}${line}\n`);
    this.#drawn = [];
    if (this.#timer && this.#live) this.#draw();
  }

  /** Reads the figures from the API server and shows them, until `stop`. */
  watch(client: KubeClient): void {
    const refresh = async () => {
      try {
        const [instances, cores, accounts, pods] = await Promise.all([
          client.of(resourceOf('StrategyInstance')).list({ namespace }),
          client.of(resourceOf('ExecutionCore')).list({ namespace }),
          client.of(resourceOf('TradingAccount')).list({ namespace }),
          client.of(Pods).list({ namespace }),
        ]);
        if (!this.#timer) return;
        for (const line of this.#restarts.news(pods.items)) this.say(line);
        const metrics = cores.items.flatMap(({ status }) => status?.metricsAddress ?? []);
        this.#show(strategyFigures(instances.items, cores.items, accounts.items), metrics[0]);
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
    this.#drawn = [];
  }

  #show(rows: readonly StrategyFigures[], metrics: string | undefined): void {
    if (metrics !== undefined && metrics !== this.#metrics) {
      this.#metrics = metrics;
      this.say(`metrics    http://${metrics}/metrics`);
    }
    if (this.#live) {
      this.#table = ['', ...renderTable(rows), '', 'Ctrl-C stops in order'];
      this.#draw();
      return;
    }
    for (const row of rows) {
      this.say(
        `${row.name} ${row.symbol} ${row.environment} ${row.mode} ${row.state}: ${row.acceptedOrders} orders, ${row.fills} fills, ${row.rejects} rejects, ` +
          `position ${row.position}, realised ${row.realisedPnl}, book ${row.book}`,
      );
    }
  }

  #draw(): void {
    const { columns = 200, rows = 50 } = process.stdout;
    const lines = fit(this.#table, columns, rows);
    process.stdout.write(`${this.#erase()}${lines.join('\n')}\n`);
    this.#drawn = lines;
  }

  #erase(): string {
    return up(rowsOf(this.#drawn, process.stdout.columns ?? 200));
  }
}

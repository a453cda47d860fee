import { setTimeout as delay } from 'node:timers/promises';
import type { KubeClient } from '../../kube/index.js';
import { resourceOf } from '../kinds.js';
import { midPrices } from './comparison.js';
import { namespace } from './objects.js';

const everyMs = 200;

/** The first price of each pair: what holding is measured from. */
export class StartPrices {
  readonly prices = new Map<string, string>();

  /** Looks until every pair has a price or the run ends. A server that cannot be asked is asked again. */
  async watch(client: KubeClient, symbols: readonly string[], signal: AbortSignal): Promise<void> {
    while (!signal.aborted && symbols.some((symbol) => !this.prices.has(symbol))) {
      const cores = await client
        .of(resourceOf('ExecutionCore'))
        .list({ namespace })
        .catch(() => undefined);
      for (const [symbol, price] of midPrices(cores?.items ?? []))
        if (!this.prices.has(symbol)) this.prices.set(symbol, price);
      await delay(everyMs, undefined, { ref: false });
    }
  }
}

import type { TradingStrategy } from '@flashpod/crds';
import { sidecarHttpPort } from '../../operator/src/api/defaults.ts';
import { labels } from '../../operator/src/api/names.ts';
import { resourceOf } from '../../operator/src/cli/kinds.ts';
import type { VenueOrder } from '../../operator/src/cli/up/audit.ts';
import { Pods } from '../../operator/src/kube/index.ts';
import type { LocalRun } from '../local-run.ts';
import { until } from '../shared.ts';

export const namespace = 'default';
export const maker = 'imbalance-maker';

/** What is struck. A core is struck with its sidecars' orders open, a sidecar while the others trade on. */
export const parts = ['core', 'agent', 'operator', 'sidecar'] as const;
export type Part = (typeof parts)[number];

/** What its command line contains. */
export const commands: Record<Part, string> = {
  core: 'flashpod-core',
  agent: 'agent/main.js',
  operator: 'operator/dist/main.js',
  sidecar: `--strategy ${maker}`,
};

/** Long enough to see a recovery that takes too long, instead of only that it did. */
const patienceMs = 60_000;
const pause = (time: number) => new Promise((resolve) => setTimeout(resolve, time));

export const msOf = (unixNs: string): number => Number(BigInt(unixNs) / 1_000n) / 1_000;
export const isOpen = ({ status }: VenueOrder): boolean => status === 'NEW' || status === 'PARTIALLY_FILLED';

/** `fp<instance>-<epoch>-<incarnation>-<sequence>`, the numbers in base 36. */
export function incarnationOf({ clientOrderId }: VenueOrder): number {
  return Number.parseInt(clientOrderId.split('-')[2] ?? '0', 36);
}

/** The beginning of the client order ids of an instance's orders. */
export async function prefixOf(run: LocalRun, strategy: string): Promise<string> {
  const order = await until(`an order of ${strategy}`, patienceMs, async () => {
    // The core may not be up yet.
    const orders = await run.ledger().then(
      (ledger) => ledger.orders,
      () => [],
    );
    return orders.find(({ instance }) => instance.startsWith(`${strategy}-`));
  });
  return `${order.clientOrderId.split('-')[0]}-`;
}

/** Waits until the exchange accepted an order that `counts`; gives the time of the first one. */
async function firstOrder(
  run: LocalRun,
  what: string,
  counts: (order: VenueOrder) => boolean,
): Promise<number> {
  return until(what, patienceMs, async () => {
    const { orders } = await run.audit();
    const times = orders.filter(counts).map(({ acceptedUnixNs }) => msOf(acceptedUnixNs));
    if (times.length > 0) return Math.min(...times);
    // The whole audit is long after a while, and reading it costs the exchange.
    await pause(75);
    return undefined;
  });
}

/** A change of the strategy that only a living operator takes notice of. */
async function operatorActs(run: LocalRun): Promise<void> {
  const strategies = run.client.of(resourceOf('TradingStrategy'));
  const key = { namespace, name: 'momentum-taker' };
  const { spec } = (await strategies.get(key)) as TradingStrategy;
  const maxOpenOrders = spec.risk?.maxOpenOrders === 8 ? 7 : 8;
  const { metadata } = await strategies.mergePatch(key, { spec: { risk: { maxOpenOrders } } } as never);
  await until('the operator to take notice of a change', patienceMs, async () => {
    const { status } = (await strategies.get(key)) as TradingStrategy;
    return (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
  });
}

/** The status of an instance is written by the agent only, each second at most. */
async function agentReports(run: LocalRun): Promise<void> {
  const read = async () => {
    const { items } = await run.client.of(resourceOf('StrategyInstance')).list({ namespace });
    return JSON.stringify(items.map(({ status }) => status));
  };
  const before = await read();
  await until('the agent to report', patienceMs, async () => (await read()) !== before);
}

/** How many decisions the maker's sidecar has sent to the core since it began; undefined while it does not answer. */
async function decisionsOf(run: LocalRun): Promise<number | undefined> {
  const { items } = await run.client
    .of(Pods)
    .list({ namespace, labelSelector: `${labels.strategy}=${maker}` });
  const ip = items[0]?.status?.podIP;
  if (ip === undefined) return undefined;
  const text = await fetch(`http://${ip}:${sidecarHttpPort}/metrics`, {
    signal: AbortSignal.timeout(1_000),
  }).then(
    (response) => response.text(),
    () => undefined,
  );
  const sent = text?.matchAll(/^flashpod_sidecar_sent_total\{.*\} (\d+)$/gm);
  return sent && [...sent].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** Gives the time at which the part is seen at work again, ms since 1970. `from` is when it could begin to. */
export async function atWork(
  run: LocalRun,
  part: Part,
  from: number,
  since: { incarnation?: number; prefix: string },
): Promise<number> {
  switch (part) {
    case 'core':
      return firstOrder(run, 'an order of the core', (order) =>
        since.incarnation === undefined
          ? msOf(order.acceptedUnixNs) > from
          : incarnationOf(order) > since.incarnation,
      );
    case 'sidecar': {
      // The core goes on with quotes of a sidecar that is not there: an order alone says nothing.
      const before = await until('the sidecar to answer', patienceMs, () => decisionsOf(run));
      await until('a decision of the sidecar', patienceMs, async () => {
        return ((await decisionsOf(run)) ?? 0) > before;
      });
      const decided = Date.now();
      return firstOrder(
        run,
        'an order of the sidecar',
        (order) => order.clientOrderId.startsWith(since.prefix) && msOf(order.acceptedUnixNs) > decided,
      );
    }
    case 'agent':
      await agentReports(run);
      return Date.now();
    case 'operator':
      await operatorActs(run);
      return Date.now();
  }
}

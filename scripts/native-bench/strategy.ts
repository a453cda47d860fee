// The recorded minutes through strategies in TypeScript, read by the addon and read in TypeScript.

import { createHash } from 'node:crypto';
import { Replay, replayed } from '@flashpod/native';
import type { AnyStrategy } from '@flashpod/sdk';
import { type EventSource, recorded, Stage } from '@flashpod/sdk/testing';
import imbalanceMaker from '@flashpod/strategy-imbalance-maker';
import momentumTaker from '@flashpod/strategy-momentum-taker';
import { both, btc } from './recordings.ts';
import { medianNs, type Report, type Samples, timed } from './report.ts';

const section = 'native.strategy';
const rounds = 7;

interface Counts {
  levelChanges: number;
  trades: number;
  timers: number;
  intents: number;
  orderEvents: number;
}

const total = (counts: Counts): number => Object.values(counts).reduce((sum, count) => sum + count, 0);

/** Hears of every trade, timer and order event. */
function counting(strategy: AnyStrategy, counts: Counts): AnyStrategy {
  return {
    ...strategy,
    onTrade: (context, batch) => {
      counts.trades += batch.trades.length;
      strategy.onTrade?.(context, batch);
    },
    onTimer: (context) => {
      counts.timers += 1;
      strategy.onTimer?.(context);
    },
    onOrder: (context, event) => {
      counts.orderEvents += 1;
      strategy.onOrder?.(context, event);
    },
  };
}

type Open = (counts: Counts) => Promise<EventSource>;

const byAddon =
  (files: readonly string[]): Open =>
  (counts) =>
    replayed(files, {
      onProgress: ({ levelChanges }) => {
        counts.levelChanges = levelChanges;
      },
    });

/** One pass; with `hash`, every decision and the last positions go into it. */
async function play(
  strategy: AnyStrategy,
  open: Open,
  hash?: ReturnType<typeof createHash>,
): Promise<Counts> {
  const counts: Counts = { levelChanges: 0, trades: 0, timers: 0, intents: 0, orderEvents: 0 };
  const source = await open(counts);
  const { instruments } = source;
  const stage = new Stage(counting(strategy, counts), { instruments, fills: 'simulated', latencyMs: 2 });
  const plain = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);
  await stage.run(source, (outputs) => {
    counts.intents += outputs.length;
    hash?.update(JSON.stringify(outputs, plain));
  });
  for (const { symbol } of instruments) hash?.update(JSON.stringify(stage.position(symbol)));
  return counts;
}

async function hashed(strategy: AnyStrategy, open: Open): Promise<{ hash: string; counts: Counts }> {
  const hash = createHash('sha256');
  const counts = await play(strategy, open, hash);
  return { hash: hash.digest('hex').slice(0, 16), counts };
}

const perSecond = (samples: Samples): number => 1e9 / medianNs(samples);

export async function strategy(report: Report): Promise<void> {
  const scenes: [AnyStrategy, string, string[], string][] = [
    [imbalanceMaker, 'BTCUSDT', btc(), 'native.strategyEventsPerSecond'],
    [momentumTaker, 'BTCUSDT', btc(), 'native.takerEventsPerSecond'],
    [imbalanceMaker, 'BTCUSDT and ETHUSDT', both(), 'native.strategyEventsPerSecondTwoPairs'],
  ];
  for (const [definition, pairs, files, result] of scenes) {
    const { hash, counts } = await hashed(definition, byAddon(files));
    const inTypeScript: Open = () => recorded(files);
    const other = await hashed(definition, inTypeScript);
    if (other.hash !== hash)
      throw new Error(
        `${definition.name}: decisions differ: ${hash} by the addon, ${other.hash} in TypeScript`,
      );
    const events = total(counts);
    const input = `10.8 recorded minutes of ${pairs} spot from gzip: ${Object.entries(counts)
      .map(([name, count]) => `${count} ${name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}`)
      .join(', ')}`;
    const figure = { section, input, operation: 'event', hash };
    const ours = await timed(events, 1, rounds, () => () => play(definition, byAddon(files)));
    report.add({ ...figure, name: `${definition.name}, recording read by the addon` }, ours, {
      [result]: perSecond(ours),
    });
    const theirs = await timed(events, 1, 3, () => () => play(definition, inTypeScript));
    report.add({ ...figure, name: `${definition.name}, recording read in TypeScript` }, theirs, {
      [`${result}InTypeScript`]: perSecond(theirs),
      [`${result}Ratio`]: medianNs(theirs) / medianNs(ours),
    });
  }
}

/** Reading alone, with a loop that looks at every state. */
export async function reading(report: Report): Promise<void> {
  const files = btc();
  let [sum, events] = [0, 0];
  const run = async () => {
    [sum, events] = [0, 0];
    for await (const batch of new Replay({ files, levels: 5 })) {
      const { books } = batch;
      for (let at = 0; at < books.bidPrices.length; at += books.levels)
        sum += (books.askPrices[at] as number) - (books.bidPrices[at] as number);
      events += batch.levelChanges + batch.trades.prices.length;
    }
  };
  await run();
  const samples = await timed(events, 1, rounds, () => run);
  const input = `10.8 recorded minutes of BTCUSDT spot from gzip: ${events} level changes and trades`;
  const hash = sum.toFixed(2);
  report.add(
    { section: 'native.replay', name: 'batches of typed arrays', input, operation: 'event', hash },
    samples,
    {
      'native.replayEventsPerSecond': perSecond(samples),
    },
  );
}

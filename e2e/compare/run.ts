import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { TradingStrategy } from '@flashpod/crds';
import { resourceOf } from '../../operator/src/cli/kinds.ts';
import type { Report } from '../../operator/src/cli/up/report.ts';
import { LocalRun } from '../local-run.ts';
import { checkout, until } from '../shared.ts';

const namespace = 'default';
const suffix = '-paper';
const tradingWithinMs = 60_000;

/** One strategy in one mode, all its pairs together. Money is in the quote asset. */
export interface Figures {
  readonly orders: number;
  readonly fills: number;
  readonly rejects: number;
  readonly fees: number;
  /** Realised and unrealised, after fees. */
  readonly trading: number;
}

export interface Comparison {
  readonly seconds: number;
  readonly strategies: readonly { readonly name: string; readonly live: Figures; readonly paper: Figures }[];
  /** Real orders and fills, against the exchange's books. */
  readonly ledgerEqualsVenue: boolean;
  readonly ordersCompared: number;
  readonly fillsCompared: number;
  readonly replay: {
    /** Every decision, real and on paper, came out again. */
    readonly equal: boolean;
    readonly inputs: number;
    readonly actions: number;
    /** Order and cancel requests to the exchange, compared text by text. */
    readonly requests: number;
  };
}

async function strategiesOf(run: LocalRun): Promise<TradingStrategy[]> {
  return [...(await run.client.of(resourceOf('TradingStrategy')).list({ namespace })).items];
}

async function isTrading(run: LocalRun, count: number): Promise<boolean> {
  const strategies = await strategiesOf(run);
  const ready = ({ status }: TradingStrategy) =>
    status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;
  return strategies.length === count && strategies.every(ready);
}

/** The same strategies once more, on paper. */
async function addPaper(run: LocalRun): Promise<void> {
  const strategies = await strategiesOf(run);
  for (const { metadata, spec } of strategies) {
    await run.client.of(resourceOf('TradingStrategy')).create({
      apiVersion: 'trading.flashpod.dev/v1alpha1',
      kind: 'TradingStrategy',
      metadata: { name: `${metadata.name}${suffix}`, namespace },
      spec: { ...spec, mode: 'Paper' },
    });
  }
  await until('both modes trading', tradingWithinMs, () => isTrading(run, 2 * strategies.length));
}

function figures(name: string, report: Report): Figures {
  const rows = report.strategies.filter((row) => row.name === name);
  const sum = (field: 'acceptedOrders' | 'fills' | 'rejects') =>
    rows.reduce((total, row) => total + row[field], 0);
  const money = (field: 'fees' | 'realisedPnl' | 'unrealisedPnl') =>
    rows.reduce((total, row) => total + Number(row[field]), 0);
  return {
    orders: sum('acceptedOrders'),
    fills: sum('fills'),
    rejects: sum('rejects'),
    fees: money('fees'),
    trading: money('realisedPnl') + money('unrealisedPnl') - money('fees'),
  };
}

function replayed(folder: string): Comparison['replay'] {
  const binaries = process.env['FLASHPOD_BIN_DIR'] ?? join(checkout, 'core-engine/target/release');
  const [journal = ''] = globSync(join(folder, 'n/host/var/lib/flashpod/*/main/journal'));
  const { status, stdout } = spawnSync(
    join(binaries, 'flashpod-core'),
    ['replay', '--journal', journal, '--verify'],
    { encoding: 'utf8' },
  );
  const counted = (what: string) =>
    Number(new RegExp(`^verified:.* ${what} (\\d+)`, 'm').exec(stdout)?.[1] ?? 0);
  return {
    equal: status === 0,
    inputs: counted('inputs'),
    actions: counted('actions'),
    requests: counted('requests'),
  };
}

/** Trades the samples on recorded markets in both modes at once for so long. */
export async function bothModes(files: readonly string[], lastsMs: number): Promise<Comparison> {
  const run = await LocalRun.start(['--mode', 'Live', '--replay', ...files]);
  let stopped: Awaited<ReturnType<LocalRun['stop']>>;
  try {
    await until('the live strategies', tradingWithinMs, () => isTrading(run, 2));
    await addPaper(run);
    await delay(lastsMs);
  } finally {
    stopped = await run.stop();
  }
  const { report } = stopped;
  const names = new Set(report.strategies.map(({ name }) => name));
  return {
    seconds: lastsMs / 1_000,
    strategies: [...names]
      .filter((name) => names.has(`${name}${suffix}`))
      .map((name) => ({ name, live: figures(name, report), paper: figures(`${name}${suffix}`, report) })),
    ledgerEqualsVenue: report.ledgerEqualsVenue,
    ordersCompared: report.ordersCompared,
    fillsCompared: report.fillsCompared,
    replay: replayed(run.folder),
  };
}

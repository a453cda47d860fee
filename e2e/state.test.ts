import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TradingStrategy } from '@flashpod/crds';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { resourceOf } from '../operator/src/cli/kinds.ts';
import { LocalRun } from './local-run.ts';
import { until } from './shared.ts';

// `flashpod up --state`: a run ends hard, and the next one with the same folder goes on with its objects.

const namespace = 'default';
const tradesWithinMs = 30_000;
let folder: string;
let run: LocalRun | undefined;

beforeAll(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'flashpod-state-')), 'state');
});
afterAll(async () => {
  run?.kill('SIGKILL');
  await run?.ended();
  rmSync(join(folder, '..'), { recursive: true });
});

const strategies = (of: LocalRun) => of.client.of<TradingStrategy>(resourceOf('TradingStrategy'));
const orders = (of: LocalRun, strategy: string) =>
  until(`orders of ${strategy}`, tradesWithinMs, async () => {
    const { status } = await strategies(of).get({ namespace, name: strategy });
    return status?.summary?.state === 'Active' && (await of.audit()).orders.length > 0;
  });

test('what the user made of the samples is there in the next run, which trades', async () => {
  run = await LocalRun.start(['--state', folder]);
  await orders(run, 'momentum-taker');
  await strategies(run).mergePatch(
    { namespace, name: 'momentum-taker' },
    { metadata: { labels: { desk: 'blue' } }, spec: { risk: { maxOpenOrders: 3 } } },
  );
  await strategies(run).delete({ namespace, name: 'imbalance-maker' });
  await until('the end of imbalance-maker', tradesWithinMs, async () => {
    const found = await (run as LocalRun).client
      .of<TradingStrategy>(resourceOf('TradingStrategy'))
      .find({ namespace, name: 'imbalance-maker' });
    return found === undefined;
  });
  const before = await strategies(run).get({ namespace, name: 'momentum-taker' });
  run.kill('SIGKILL');
  await run.ended();

  run = await LocalRun.start(['--state', folder]);
  await orders(run, 'momentum-taker');
  const { items } = await strategies(run).list({ namespace });
  expect(items.map(({ metadata, spec }) => [metadata.uid, metadata.labels, spec.risk.maxOpenOrders])).toEqual(
    [[before.metadata.uid, { desk: 'blue' }, 3]],
  );
  expect(BigInt(items[0]?.metadata.resourceVersion ?? 0)).toBeGreaterThan(
    BigInt(before.metadata.resourceVersion),
  );
  const { report } = await run.stop();
  run = undefined;
  expect(report.ledgerEqualsVenue).toBe(true);
});

test('keys that are kept are readable by their owner only', () => {
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  for (const file of readdirSync(folder))
    expect([file, statSync(join(folder, file)).mode & 0o777]).toEqual([file, 0o600]);
});

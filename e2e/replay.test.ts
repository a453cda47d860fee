import { expect, test } from 'vitest';
import { LocalRun } from './local-run.ts';
import { recording } from './shared.ts';

const files = ['btcusdt_20240808', 'btcusdt_20240809', 'ethusdt_20240808', 'ethusdt_20240809'].map((name) =>
  recording(`binance_spot_btc_eth_20240808/${name}.gz`),
);

test('two strategies trade two recorded markets for two minutes, and every order, fill and balance agrees', async () => {
  const run = await LocalRun.start(['--for', '120s', '--replay', ...files]);
  const { report } = await run.report(170_000);

  expect(report.differences).toEqual([]);
  expect(report).toMatchObject({ ledgerEqualsVenue: true, gaps: 0, http429: 0, http418: 0 });
  expect(report.certifiedShare).toBeGreaterThanOrEqual(0.995);
  expect(report.strategies.map(({ name, symbol }) => `${name} ${symbol}`)).toEqual([
    'imbalance-maker BTCUSDT',
    'imbalance-maker ETHUSDT',
    'momentum-taker BTCUSDT',
    'momentum-taker ETHUSDT',
  ]);
  for (const strategy of report.strategies) {
    expect(strategy.acceptedOrders, `orders of ${strategy.name} ${strategy.symbol}`).toBeGreaterThanOrEqual(
      100,
    );
    expect(strategy.fills, `fills of ${strategy.name} ${strategy.symbol}`).toBeGreaterThanOrEqual(10);
  }
  expect(report.ordersCompared).toBeGreaterThanOrEqual(400);
  expect(report.fillsCompared).toBeGreaterThanOrEqual(40);
  for (const hop of ['tickToOrder', 'budgetWait', 'replaceWait', 'decision', 'send', 'ack']) {
    expect(report.hops[hop]?.count, hop).toBeGreaterThan(0);
  }
});

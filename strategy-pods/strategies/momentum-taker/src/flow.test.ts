import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FlowMeter } from './flow.js';

const buy = (value: number) => [{ price: 1, quantity: value, side: 'Buy' as const }];
const sell = (value: number) => [{ price: 1, quantity: value, side: 'Sell' as const }];

test('flow is signed value that fades with the window', () => {
  const meter = new FlowMeter(100, 10_000);
  meter.add(buy(30), 0);
  meter.add(sell(10), 0);
  expect(meter.flow).toBe(20);
  meter.pass(100);
  expect(meter.flow).toBeCloseTo(20 / Math.E);
});

test('how often time is looked at does not matter', () => {
  const moments = fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(moments, (steps) => {
      const often = new FlowMeter(100, 1_000_000_000);
      const once = new FlowMeter(100, 1_000_000_000);
      for (const meter of [often, once]) meter.add(buy(1_000), 0);
      let now = 0;
      for (const step of steps) {
        now += step;
        often.pass(now);
      }
      once.pass(now);
      expect(often.flow).toBeCloseTo(once.flow, 6);
      expect(often.typical).toBeCloseTo(once.typical, 3);
    }),
  );
});

test('nothing is a burst before twenty windows have passed', () => {
  const meter = new FlowMeter(100, 10_000);
  meter.add(buy(5), 0);
  meter.add(buy(500), 1_999);
  expect(meter.score).toBe(0);
  meter.add(buy(500), 2_000);
  expect(meter.score).toBeGreaterThan(1);
});

test('the score does not depend on the scale of the market', () => {
  const scores = [1, 1_000].map((scale) => {
    const meter = new FlowMeter(100, 10_000);
    for (let at = 0; at <= 5_000; at += 50) meter.add(at % 100 ? buy(scale) : sell(2 * scale), at);
    return meter.score;
  });
  expect(scores[0]).toBeCloseTo(scores[1] ?? Number.NaN);
  expect(scores[0]).toBeLessThan(0);
});

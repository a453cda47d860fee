import { expect, test } from 'vitest';
import { ManualClock } from '../kube/testing/manual-clock.js';
import { Publisher } from './publisher.js';

function setUp(write: (key: string) => Promise<void> = async () => {}) {
  const clock = new ManualClock();
  const written: [string, number][] = [];
  const errors: string[] = [];
  const publisher = new Publisher({
    clock,
    everyMs: 1_000,
    write: (key) => {
      written.push([key, clock.now()]);
      return write(key);
    },
    onError: (key) => errors.push(key),
  });
  const begin = clock.now();
  const times = () => written.map(([, at]) => at - begin);
  return { clock, publisher, written, errors, times };
}

test('figures are written at most once a second, the newest of them', async () => {
  const { clock, publisher, times } = setUp();
  for (let i = 0; i < 29; i++) {
    publisher.mark('a', 'same');
    await clock.advance(100);
  }
  expect(times()).toEqual([0, 1_000, 2_000]);
});

test('what matters is written at once, again after 50 ms at the earliest', async () => {
  const { clock, publisher, times } = setUp();
  publisher.mark('a', 'active');
  await clock.advance(10);
  publisher.mark('a', 'halted');
  await clock.advance(10);
  publisher.mark('a', 'active');
  await clock.advance(1_000);
  expect(times()).toEqual([0, 50]);
});

test('objects do not wait for each other', async () => {
  const { clock, publisher, written } = setUp();
  publisher.mark('a', '');
  publisher.mark('b', '');
  await clock.advance(1);
  expect(written.map(([key]) => key)).toEqual(['a', 'b']);
});

test('a change during a write is written after it, not beside it', async () => {
  const gate = Promise.withResolvers<void>();
  const { clock, publisher, times } = setUp(() => gate.promise);
  publisher.mark('a', 'one');
  await clock.advance(0);
  publisher.mark('a', 'two');
  await clock.advance(500);
  expect(times()).toEqual([0]);
  gate.resolve();
  await clock.advance(1);
  expect(times()).toHaveLength(2);
});

test('a write that fails is tried again', async () => {
  let failures = 2;
  const { clock, publisher, written, errors } = setUp(async () => {
    if (failures-- > 0) throw new Error('no');
  });
  publisher.mark('a', '');
  await clock.advance(1_000);
  expect(errors).toEqual(['a', 'a']);
  expect(written).toHaveLength(3);
});

test('stopping writes everything a last time', async () => {
  const { clock, publisher, written } = setUp();
  publisher.mark('a', '');
  await clock.advance(0);
  publisher.mark('a', '');
  await publisher.stop(1_000);
  await clock.advance(5_000);
  expect(written).toHaveLength(2);
});

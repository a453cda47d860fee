import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock, settle } from './testing/manual-clock.js';
import { WorkQueue } from './workqueue.js';

function queueOn(clock = new ManualClock()) {
  return { clock, queue: new WorkQueue({ name: 'test', clock }) };
}

/** Takes what is there now. */
async function drain(queue: WorkQueue): Promise<string[]> {
  const keys: string[] = [];
  while (queue.length > 0) keys.push((await queue.take()) ?? '');
  return keys;
}

describe('a work queue', () => {
  it('holds a key once, in the order of its first coming', async () => {
    const { queue } = queueOn();
    for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
    expect(await drain(queue)).toEqual(['a', 'b', 'c']);
  });

  it('hands a key that is being worked on out again only when that is done', async () => {
    const { queue } = queueOn();
    queue.add('a');
    expect(await queue.take()).toBe('a');
    queue.add('a');
    queue.add('a');
    expect(queue.length).toBe(0);
    queue.done('a');
    expect(await drain(queue)).toEqual(['a']);
  });

  it('backs off per key: 5 ms, doubling, at most 1000 s, until forgotten', async () => {
    const { queue, clock } = queueOn();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 20; attempt++) {
      queue.addRateLimited('a');
      waits.push(clock.nextIn ?? 0);
      await clock.advance(clock.nextIn ?? 0);
      queue.done((await queue.take()) ?? '');
    }
    expect(waits.slice(0, 4)).toEqual([5, 10, 20, 40]);
    expect(waits.at(-1)).toBe(1_000_000);
    queue.addRateLimited('b');
    expect(clock.nextIn).toBe(5);
    queue.forget('a');
    queue.addRateLimited('a');
    expect(queue.failures('a')).toBe(1);
  });

  it('of several delayed adds keeps the earliest', async () => {
    const { queue, clock } = queueOn();
    queue.addAfter('a', 100);
    queue.addAfter('a', 500);
    queue.addAfter('a', 50);
    await clock.advance(50);
    expect(await drain(queue)).toEqual(['a']);
    queue.done('a');
    await clock.advance(1000);
    expect(queue.length).toBe(0);
  });

  it('closed hands out nothing more and lets waiting workers go', async () => {
    const { queue, clock } = queueOn();
    const waiting = queue.take();
    queue.addAfter('a', 10);
    queue.close();
    expect(await waiting).toBeUndefined();
    await clock.advance(100);
    queue.add('b');
    expect(await queue.take()).toBeUndefined();
  });

  it('never gives one key to two workers, and in the end every added key has been worked on after its last add', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('add' as const), key: fc.constantFrom('a', 'b', 'c') }),
      fc.record({ do: fc.constant('finish' as const), key: fc.constantFrom('a', 'b', 'c') }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { queue } = queueOn();
        const working = new Set<string>();
        const owed = new Set<string>();
        const worker = async () => {
          for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
            expect(working.has(key)).toBe(false);
            working.add(key);
            owed.delete(key);
          }
        };
        const workers = [worker(), worker()];
        const finish = (key: string) => {
          if (working.delete(key)) queue.done(key);
        };
        for (const { do: what, key } of steps) {
          if (what === 'finish') finish(key);
          else {
            owed.add(key);
            queue.add(key);
          }
          await Promise.resolve();
        }
        for (let turn = 0; turn < 3; turn++) {
          await settle();
          for (const key of [...working]) finish(key);
        }
        await settle();
        expect([...owed]).toEqual([]);
        queue.close();
        await Promise.all(workers);
      }),
      { numRuns: 50 },
    );
  });
});

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ApiServer, startApiServer } from '../local/api-server/index.js';
import { KubeClient } from './client.js';
import { LeaderElector } from './leader.js';
import { LeaseLock } from './lease.js';
import { Leases } from './resources.js';
import { eventually } from './testing/eventually.js';
import { ManualClock } from './testing/manual-clock.js';

let server: ApiServer;
let client: KubeClient;
let clock: ManualClock;
let count = 0;
let key = { namespace: 'default', name: '' };

beforeAll(async () => {
  server = await startApiServer();
  client = KubeClient.load({ kubeconfig: server.kubeconfigPath, qps: 1000, burst: 1000 });
});
afterAll(async () => {
  await client.close();
  await server.stop();
});
beforeEach(() => {
  clock = new ManualClock();
  count += 1;
  key = { namespace: 'default', name: `lease-${count}` };
});

const lockOf = (identity: string) =>
  new LeaseLock(client.of(Leases), { key, identity, durationSeconds: 60, clock });

describe('a lease', () => {
  it('is made by the first who wants it, and kept with each renewal', async () => {
    const lock = lockOf('a');
    expect(await lock.tryAcquireOrRenew()).toMatchObject({ held: true, acquired: true });
    await clock.advance(5000);
    const again = await lock.tryAcquireOrRenew({ annotations: { 'example.com/epoch': '7' } });
    expect(again).toMatchObject({ held: true, acquired: false, since: 5000 });
    const { spec, metadata } = await client.of(Leases).get(key);
    expect(spec).toMatchObject({
      holderIdentity: 'a',
      leaseDurationSeconds: 60,
      leaseTransitions: 0,
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:05.000000Z',
    });
    expect(metadata.annotations).toEqual({ 'example.com/epoch': '7' });
  });

  it('passes to another only after a full duration of silence that this other has seen itself', async () => {
    const [a, b] = [lockOf('a'), lockOf('b')];
    await a.tryAcquireOrRenew({ annotations: { 'example.com/epoch': '1' } });
    await clock.advance(1_000_000);
    // However old it is: b sees it for the first time now.
    expect(await b.tryAcquireOrRenew()).toMatchObject({ held: false, holder: 'a', retryAfterMs: 60_000 });
    await clock.advance(59_999);
    expect(await b.tryAcquireOrRenew()).toMatchObject({ held: false, retryAfterMs: 1 });
    await clock.advance(1);
    const taken = await b.tryAcquireOrRenew();
    expect(taken).toMatchObject({ held: true, acquired: true });
    expect(taken.lease?.spec?.leaseTransitions).toBe(1);
    expect(taken.lease?.metadata.annotations).toEqual({ 'example.com/epoch': '1' });
    expect(await a.tryAcquireOrRenew()).toMatchObject({ held: false, holder: 'b' });
  });

  it('starts its silence anew with each renewal', async () => {
    const [a, b] = [lockOf('a'), lockOf('b')];
    await a.tryAcquireOrRenew();
    await b.tryAcquireOrRenew();
    await clock.advance(50_000);
    await a.tryAcquireOrRenew();
    await b.tryAcquireOrRenew();
    await clock.advance(59_000);
    expect(await b.tryAcquireOrRenew()).toMatchObject({ held: false, retryAfterMs: 1000 });
  });

  it('wanted by two at the same time goes to one', async () => {
    const locks = ['a', 'b', 'c'].map(lockOf);
    const attempts = await Promise.all(locks.map((lock) => lock.tryAcquireOrRenew()));
    expect(attempts.filter(({ held }) => held)).toHaveLength(1);
  });

  it('let go is free at once, and keeps its annotations', async () => {
    const [a, b] = [lockOf('a'), lockOf('b')];
    await a.tryAcquireOrRenew({ annotations: { 'example.com/epoch': '4' } });
    expect(await a.release()).toBe(true);
    const taken = await b.tryAcquireOrRenew();
    expect(taken.held && taken.lease.metadata.annotations).toEqual({ 'example.com/epoch': '4' });
    expect(await a.release()).toBe(false);
  });
});

describe('a renewal', () => {
  it('whose answer got lost, or that somebody’s note came before, is made again', async () => {
    const lock = lockOf('a');
    await lock.tryAcquireOrRenew();
    await client.of(Leases).mergePatch(key, { metadata: { annotations: { 'example.com/note': 'x' } } });
    const attempt = await lock.tryAcquireOrRenew();
    expect(attempt).toMatchObject({ held: true, acquired: false });
    expect(attempt.lease?.metadata.annotations).toEqual({ 'example.com/note': 'x' });
  });

  it('of a lease that was deleted does not pass for one', async () => {
    const lock = lockOf('a');
    await lock.tryAcquireOrRenew();
    await client.of(Leases).delete(key);
    expect(await lock.tryAcquireOrRenew()).toMatchObject({ held: false, holder: '' });
    expect(await lock.tryAcquireOrRenew()).toMatchObject({ held: true, acquired: true });
  });
});

describe('leader election', () => {
  const stops: AbortController[] = [];
  afterEach(() => {
    for (const stop of stops.splice(0)) stop.abort();
  });

  function candidate(identity: string) {
    const elector = new LeaderElector(lockOf(identity), {
      name: 'test',
      clock,
      renewDeadlineMs: 40_000,
      retryMs: 10_000,
    });
    const stop = new AbortController();
    stops.push(stop);
    const state = { leading: false, told: false };
    const run = elector.run(stop.signal, async (signal) => {
      state.leading = true;
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      state.told = true;
    });
    return { elector, stop, state, run };
  }

  it('has one leader, and the next one as soon as that one steps down', async () => {
    const a = candidate('a');
    await eventually(() => a.state.leading, Boolean);
    const b = candidate('b');
    await eventually(
      () => clock.nextIn,
      (next) => next !== undefined,
    );
    a.stop.abort();
    expect(await a.run).toBe('stopped');
    expect(a.elector.isLeading).toBe(false);
    await eventually(async () => {
      await clock.advance(12_000);
      return b.state.leading;
    }, Boolean);
    expect(b.elector.isLeading).toBe(true);
  });

  it('stops leading when another has the lease, and tells the work', async () => {
    const a = candidate('a');
    await eventually(() => a.state.leading, Boolean);
    await client.of(Leases).mergePatch(key, { spec: { holderIdentity: 'thief' } });
    await eventually(async () => {
      await clock.advance(12_000);
      return a.state.told;
    }, Boolean);
    expect(await a.run).toBe('lost');
  });

  it('does not believe itself to lead after its deadline, renewed or not', async () => {
    const a = candidate('a');
    await eventually(() => a.state.leading, Boolean);
    expect(a.elector.isLeading).toBe(true);
    // The event loop stood still: no timer fired, but the clock went on.
    clock.jump(40_000);
    expect(a.elector.isLeading).toBe(false);
  });
});

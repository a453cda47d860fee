import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiServer, startApiServer } from '../local/api-server/index.js';
import { KubeClient } from './client.js';
import { EventRecorder, Events } from './events.js';
import { ManualClock } from './testing/manual-clock.js';
import { reply, ScriptedServer } from './testing/scripted-server.js';

type Reason = 'Started' | 'Stopped';
let server: ApiServer;
let client: KubeClient;
beforeAll(async () => {
  server = await startApiServer();
  client = KubeClient.load({ kubeconfig: server.kubeconfigPath });
});
afterAll(async () => {
  await client.close();
  await server.stop();
});

const regarding = (name: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'default', name, uid: `u-${name}`, resourceVersion: '1' },
});
const eventsOf = async (name: string) =>
  (await client.of(Events).list({ namespace: 'default', fieldSelector: `regarding.name=${name}` })).items;

describe('an event recorder', () => {
  it('writes one event, and a series for what is told again', async () => {
    const clock = new ManualClock();
    const recorder = new EventRecorder<Reason>(client.of(Events), {
      component: 'example.com/test',
      instance: 'me',
      clock,
    });
    const input = {
      regarding: regarding('a'),
      type: 'Normal',
      reason: 'Started',
      action: 'Starting',
      note: 'up',
    } as const;
    recorder.record(input);
    await recorder.flush();
    expect((await eventsOf('a'))[0]).toMatchObject({
      type: 'Normal',
      reason: 'Started',
      action: 'Starting',
      note: 'up',
      reportingController: 'example.com/test',
      reportingInstance: 'me',
      eventTime: '2026-01-01T00:00:00.000000Z',
      regarding: { kind: 'ConfigMap', name: 'a', uid: 'u-a' },
    });
    for (let repeat = 0; repeat < 5; repeat++) recorder.record(input);
    await clock.advance(10_000);
    await recorder.flush();
    const events = await eventsOf('a');
    expect(events).toHaveLength(1);
    expect(events[0]?.series?.count).toBe(6);
  });

  it('starts anew after a pause, and keeps other notes apart', async () => {
    const clock = new ManualClock();
    const recorder = new EventRecorder<Reason>(client.of(Events), {
      component: 'example.com/test',
      instance: 'me',
      clock,
    });
    const input = {
      regarding: regarding('b'),
      type: 'Warning',
      reason: 'Stopped',
      action: 'Stopping',
      note: 'one',
    } as const;
    recorder.record(input);
    recorder.record({ ...input, note: 'two' });
    await clock.advance(400_000);
    recorder.record(input);
    await recorder.flush();
    expect((await eventsOf('b')).map(({ note }) => note).sort()).toEqual(['one', 'one', 'two']);
  });

  it('cuts a note at 1024 bytes between characters', async () => {
    const recorder = new EventRecorder<Reason>(client.of(Events), {
      component: 'example.com/test',
      instance: 'me',
    });
    recorder.record({
      regarding: regarding('c'),
      type: 'Normal',
      reason: 'Started',
      action: 'Starting',
      note: 'ä'.repeat(2000),
    });
    await recorder.flush();
    const note = (await eventsOf('c'))[0]?.note ?? '';
    expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1024);
    expect(note).toMatch(/^ä+…$/);
  });

  it('never throws: what cannot be written is dropped and counted', async () => {
    const broken = await ScriptedServer.start(reply(500, { kind: 'Status', reason: 'InternalError' }));
    const errors: unknown[] = [];
    let dropped = 0;
    const silent = () => {};
    const metrics = {
      watch: { event: silent, interrupted: silent, relisted: silent, foundByRelist: silent, silence: silent },
      queue: { added: silent, depth: silent, waited: silent, worked: silent, retried: silent },
      leader: { is: silent },
      events: {
        dropped: () => {
          dropped += 1;
        },
      },
    };
    const recorder = new EventRecorder<Reason>(broken.client().of(Events), {
      component: 'x.y/z',
      instance: 'me',
      metrics,
      onError: (error) => errors.push(error),
    });
    recorder.record({
      regarding: regarding('d'),
      type: 'Normal',
      reason: 'Started',
      action: 'Starting',
      note: 'up',
    });
    await recorder.flush();
    expect([dropped, errors.length]).toEqual([1, 1]);
    await broken.stop();
  });
});

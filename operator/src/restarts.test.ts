// Operator, agent and core are restarted at any moment while users change their minds. What must hold all the time is
// checked at every step of every object, as a watch tells it; in the end all must be as the specs say.

import type { StrategyInstance } from '@flashpod/crds';
import { InstancePolicy_State } from '@flashpod/proto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { StrategyInstances, TradingStrategies } from './api/resources.js';
import { type MergePatch, Pods, Reflector } from './kube/index.js';
import { Desk, namespace, strategy } from './testing/desk.js';

let desk: Desk;

beforeEach(async () => {
  desk = await Desk.start();
  desk.core.provesAll = true;
  await desk.core.start();
  desk.startOperator();
  await desk.startAgent('pod-1');
});
afterEach(() => desk.stop());

/** mulberry32: the same seed, the same story. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides;
  };
}

test.each([1, 2, 3])(
  'two instances of a strategy never live at once, whoever restarts (seed %i)',
  async (seed) => {
    const roll = dice(seed);
    const names = ['one', 'two', 'three'];
    const broken: string[] = [];
    const strategies = new Reflector(desk.client.of(TradingStrategies), { namespace });
    const instances = new Reflector(desk.client.of(StrategyInstances), { namespace });
    instances.onChange(({ type, object }) => {
      if (type === 'added') {
        const { name } = object.spec.strategyRef;
        const all = instances.store.list().filter(({ spec }) => spec.strategyRef.name === name);
        if (all.length > 1)
          broken.push(`${name} has ${all.map(({ metadata }) => metadata.name).join(' and ')}`);
      }
      // Released: only with a proof, and it was told to stop before.
      if (type === 'deleted' && object.status?.proof?.provenAt === undefined)
        broken.push(`${object.metadata.name} went without proof`);
    });
    strategies.start();
    instances.start();
    await Promise.all([strategies.synced, instances.synced]);

    for (const name of names) await desk.create(strategy(name));
    for (let step = 0; step < 40; step++) {
      const name = names[roll(names.length)] ?? '';
      const spec = [
        { suspended: true },
        { suspended: false },
        { parameters: { orderNotional: String(roll(4) + 1) } },
        { risk: { maxOrderNotional: String(roll(90) + 1) } },
        { deletionPolicy: ['Flatten', 'CancelOnly', 'Orphan'][roll(3)] },
      ][roll(5)];
      switch (roll(8)) {
        case 0:
          await desk.stopOperator();
          desk.startOperator();
          break;
        case 1:
          await desk.stopAgent();
          await desk.startAgent('pod-1');
          break;
        case 2:
          await desk.core.stop();
          await desk.core.start();
          break;
        case 3:
          await desk.client.of(TradingStrategies).deleteIfExists({ namespace, name });
          break;
        case 4:
          await desk.create(strategy(name)).catch(() => {});
          break;
        default:
          await desk.client
            .of(TradingStrategies)
            .mergePatch({ namespace, name }, { spec } as MergePatch<never>)
            .catch(() => {});
      }
      // Not to wait for anything: so that the next step falls into another moment of the last.
      await new Promise((resolve) => setTimeout(resolve, roll(40)));
    }

    await eventually(async () => {
      const wanted = (await desk.client.of(TradingStrategies).list({ namespace })).items;
      const { items } = await desk.client.of(StrategyInstances).list({ namespace });
      const pods = (await desk.client.of(Pods).list({ namespace })).items.map(
        ({ metadata }) => metadata.name,
      );
      if (wanted.some(({ metadata }) => metadata.deletionTimestamp)) return 'a deletion is under way';
      const expected = wanted.filter(({ spec }) => !spec.suspended).map(({ metadata }) => metadata.name);
      if (owners(items) !== expected.sort().join()) return `${owners(items)} run, ${expected.join()} should`;
      for (const { metadata, spec } of items) {
        const told = desk.core.desired?.instances.find(({ instance }) => instance === metadata.name);
        if (told?.state !== InstancePolicy_State.RUN) return `${metadata.name} is not told to run`;
        const owner = wanted.find((candidate) => candidate.metadata.name === spec.strategyRef.name);
        if (told.limits?.maxOrderNotional !== owner?.spec.risk.maxOrderNotional)
          return `${metadata.name} has other limits`;
        if (!pods.includes(metadata.name)) return `${metadata.name} has no pod`;
      }
      return pods.length === items.length + 1 ? undefined : `there are pods ${pods.join()}`;
    });
    await Promise.all([strategies.stop(), instances.stop()]);
    expect(broken).toEqual([]);
  },
);

const owners = (items: readonly StrategyInstance[]) =>
  items
    .map(({ spec }) => spec.strategyRef.name)
    .sort()
    .join();

/** Until there is nothing left to complain about. */
async function eventually(complaint: () => Promise<string | undefined>, withinMs = 8_000): Promise<void> {
  const end = performance.now() + withinMs;
  for (;;) {
    const text = await complaint();
    if (text === undefined) return;
    if (performance.now() > end) throw new Error(text);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

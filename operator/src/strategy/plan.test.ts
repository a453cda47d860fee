import type { StrategyInstance, StrategyInstanceStatus, TradingStrategy } from '@flashpod/crds';
import { expect, test } from 'vitest';
import { flattenStuckAfterMs } from '../api/defaults.js';
import { annotations, finalizers } from '../api/names.js';
import { findCondition, type Pod } from '../kube/index.js';
import { account, core, strategy as sample } from '../testing/desk.js';
import { ParameterChecks } from './parameters.js';
import { plan } from './plan.js';
import { strategyPod } from './pod.js';
import { policyFor } from './policy.js';
import type { Action, World } from './world.js';

const now = new Date('2026-01-01T00:01:00Z');
const long = new Date(now.getTime() - flattenStuckAfterMs - 1).toISOString();
const parameters = new ParameterChecks({ 'imbalance-maker': { type: 'object' } });
const known = { ...account(), status: { symbols: ['BTCUSDC'] } };

interface Picture {
  spec?: Partial<TradingStrategy['spec']>;
  metadata?: object;
  status?: TradingStrategy['status'];
  instances?: StrategyInstance[];
  pods?: Pod[];
}

function world({ spec, metadata, status, instances = [], pods = [] }: Picture = {}): World {
  const object = sample('s', spec);
  const strategy: TradingStrategy = {
    ...object,
    metadata: { ...object.metadata, uid: 'u', generation: 3, ...metadata },
    ...(status === undefined ? {} : { status }),
  };
  return {
    now,
    strategy,
    instances,
    former: [],
    sidecarImage: 'flashpod/sidecar:1',
    pods: new Map(pods.map((pod) => [pod.metadata?.name ?? '', pod])),
    policies: new Map(
      instances.map((instance) => [instance.metadata.name, policyFor(strategy, instance, [known], [])]),
    ),
    references: { accounts: [known], cores: [core()], parameters },
  };
}

/** The instance that the plan for this spec would make. */
function made(
  spec: Partial<TradingStrategy['spec']> = {},
  status?: StrategyInstanceStatus,
  metadata = {},
): StrategyInstance {
  const action = plan(world({ spec })).actions.find((candidate) => candidate.do === 'createInstance');
  if (action === undefined) throw new Error('nothing is made');
  return {
    apiVersion: 'trading.flashpod.dev/v1alpha1',
    kind: 'StrategyInstance',
    metadata: {
      name: action.name,
      namespace: 'default',
      uid: 'i',
      finalizers: [finalizers.flat],
      ...metadata,
    },
    spec: { ...action.spec, tokenSecretRef: { name: 't' }, tokenSha256: 'a' },
    ...(status === undefined ? {} : { status }),
  };
}

const podOf = (instance: StrategyInstance, change: Pod = {}): Pod => {
  const pod = strategyPod(instance, 'another/sidecar:0');
  return { ...pod, ...change, metadata: { ...pod.metadata, uid: 'p', ...change.metadata } };
};
const doing = (actions: readonly Action[]) => actions.map((action) => action.do);
const stopped: StrategyInstanceStatus = {
  state: 'Halted',
  proof: { policy: 'Flatten', noOpenOrders: true, flat: true, provenAt: '2026-01-01T00:00:30Z' },
};
const deletionTimestamp = '2026-01-01T00:00:20Z';
const running = made();

test.each<[string, Picture, string[]]>([
  ['a new strategy is held, then gets its instance', {}, ['holdStrategy', 'createInstance']],
  ['an instance gets its pod', { instances: [running] }, ['createPod']],
  [
    'a running instance is left alone, also with a pod of another image',
    { instances: [running], pods: [podOf(running)] },
    [],
  ],
  [
    'an evicted pod is replaced',
    { instances: [running], pods: [podOf(running, { status: { phase: 'Failed' } })] },
    ['deletePod'],
  ],
  [
    'a pod that is going away is waited for',
    { instances: [running], pods: [podOf(running, { metadata: { deletionTimestamp } })] },
    [],
  ],
  [
    'a pod that runs something else is replaced',
    { instances: [running], pods: [podOf(running, { metadata: { annotations: {} } })] },
    ['deletePod'],
  ],
  [
    'other limits change the instance only',
    {
      spec: { risk: { ...running.spec.limits, maxOpenOrders: 1 } },
      instances: [running],
      pods: [podOf(running)],
    },
    ['updateInstance'],
  ],
  [
    'another symbol stops the instance, and starts nothing yet',
    { spec: { parameters: { a: 1 } }, instances: [running], pods: [podOf(running)] },
    ['stopInstance'],
  ],
  [
    'a stop that is not proven is waited for',
    { instances: [made({}, undefined, { deletionTimestamp })], metadata: { deletionTimestamp } },
    [],
  ],
  [
    'with the proof first the pod goes',
    {
      instances: [made({}, stopped, { deletionTimestamp })],
      pods: [podOf(running)],
      metadata: { deletionTimestamp },
    },
    ['deletePod'],
  ],
  [
    'then the instance',
    { instances: [made({}, stopped, { deletionTimestamp })], metadata: { deletionTimestamp } },
    ['releaseInstance'],
  ],
  [
    'then the strategy',
    { metadata: { deletionTimestamp, finalizers: [finalizers.flat] } },
    ['releaseStrategy'],
  ],
  ['an instance whose stop was proven is replaced', { instances: [made({}, stopped)] }, ['stopInstance']],
  ['a suspended strategy starts nothing', { spec: { suspended: true } }, []],
  [
    'a suspended strategy stops what runs',
    { spec: { suspended: true }, instances: [running] },
    ['stopInstance'],
  ],
  ['a refused spec starts nothing', { spec: { symbols: ['NOPE'] } }, []],
  [
    'a refused spec stops nothing',
    { spec: { symbols: ['NOPE'] }, instances: [running], pods: [podOf(running)] },
    [],
  ],
  [
    'Flatten is not satisfied by a position',
    {
      instances: [
        made({}, { ...stopped, proof: { ...stopped.proof, flat: false } as never }, { deletionTimestamp }),
      ],
    },
    [],
  ],
  [
    'CancelOnly is',
    {
      spec: { deletionPolicy: 'CancelOnly' },
      instances: [
        made({}, { ...stopped, proof: { ...stopped.proof, flat: false } as never }, { deletionTimestamp }),
      ],
    },
    ['releaseInstance'],
  ],
])('%s', (_, picture, actions) => {
  const { metadata } = picture;
  const held = { finalizers: [finalizers.flat], ...metadata };
  const started = picture.instances !== undefined || metadata !== undefined;
  expect(doing(plan(world({ ...picture, ...(started ? { metadata: held } : {}) })).actions)).toEqual(actions);
});

test('the same world gives the same plan, and the same name', () => {
  expect(plan(world())).toEqual(plan(world()));
});

test('a second instance never has the name of the first, even when it runs the same', () => {
  const second = plan(world({ status: { instancesMade: 1 } })).actions.find(
    ({ do: what }) => what === 'createInstance',
  );
  expect(second).toMatchObject({ spec: { number: 2 } });
  expect(second).not.toMatchObject({ name: running.metadata.name });
});

test('what was made is counted before it can be forgotten', () => {
  expect(plan(world({ instances: [running] })).status.instancesMade).toBe(1);
});

test('a stuck stop says what it waits for and how to get out', () => {
  const proof = {
    policy: 'Flatten',
    noOpenOrders: true,
    flat: false,
    waitingFor: 'a bid for 0.2 BTC',
  } as const;
  const instance = made({}, { state: 'Halted', proof }, { deletionTimestamp: long });
  const { status, events, againAfterMs } = plan(
    world({ instances: [instance], metadata: { deletionTimestamp: long } }),
  );
  const flat = findCondition(status.conditions, 'Flat');
  expect(flat).toMatchObject({ status: 'False', reason: 'FlattenStuck' });
  expect(flat?.message).toContain('a bid for 0.2 BTC');
  expect(flat?.message).toContain(`kubectl annotate ts s ${annotations.abandon}=s`);
  expect(events).toMatchObject([{ type: 'Warning', reason: 'FlattenStuck' }]);
  expect(againAfterMs).toBeUndefined();
});

test('a stop that is young is looked at again when it would be stuck', () => {
  const instance = made({}, undefined, { deletionTimestamp });
  const { againAfterMs } = plan(world({ instances: [instance], metadata: { deletionTimestamp } }));
  expect(againAfterMs).toBe(flattenStuckAfterMs - 40_000);
});

test('an abandonment must repeat the name', () => {
  const instance = made({}, undefined, { deletionTimestamp });
  const abandoned = (value: string) =>
    doing(
      plan(
        world({
          instances: [instance],
          metadata: { deletionTimestamp, annotations: { [annotations.abandon]: value } },
        }),
      ).actions,
    );
  expect(abandoned('other')).toEqual([]);
  expect(abandoned('s')).toEqual(['releaseInstance']);
});

test('an annotation that stayed on a strategy lets go of nothing that stops later, as it is not deleted', () => {
  const instance = made({}, undefined, { deletionTimestamp: long });
  const kept = { annotations: { [annotations.abandon]: 's' } };
  const { actions, status } = plan(
    world({ spec: { suspended: true }, instances: [instance], metadata: kept }),
  );
  expect(actions).toEqual([]);
  const { name } = instance.metadata;
  expect(findCondition(status.conditions, 'Flat')?.message).toContain(
    `kubectl annotate si ${name} ${annotations.abandon}=${name}`,
  );
  const abandoned = {
    ...instance,
    metadata: { ...instance.metadata, annotations: { [annotations.abandon]: name } },
  };
  expect(doing(plan(world({ spec: { suspended: true }, instances: [abandoned] })).actions)).toEqual([
    'releaseInstance',
  ]);
});

test('every order that is left behind is named, in as many events as it takes', () => {
  const orphanedOrders = Array.from({ length: 60 }, (_, index) => `fp${'x'.repeat(28)}${index + 10}`);
  const proof = { ...stopped.proof, noOpenOrders: false, flat: false, orphanedOrders } as never;
  const instance = made({}, { ...stopped, proof }, { deletionTimestamp });
  const [action] = plan(
    world({ spec: { deletionPolicy: 'Orphan' }, instances: [instance], metadata: { deletionTimestamp } }),
  ).actions;
  const notes = (action?.say ?? []).filter(({ reason }) => reason === 'OrdersOrphaned');
  expect(notes).toHaveLength(3);
  for (const { message } of notes) expect(Buffer.byteLength(message)).toBeLessThan(1024);
  for (const order of orphanedOrders) expect(notes.some(({ message }) => message.includes(order))).toBe(true);
});

test('an abandoned instance leaves its last known position and orders in an event', () => {
  const positions = [{ symbol: 'BTCUSDC', quantity: '0.2', openOrders: 3 }];
  const instance = made(
    {},
    { state: 'Halted', positions },
    { deletionTimestamp, annotations: { [annotations.abandon]: running.metadata.name } },
  );
  const [action] = plan(world({ spec: { suspended: true }, instances: [instance] })).actions;
  expect(action?.say?.[0]).toMatchObject({
    type: 'Warning',
    reason: 'Abandoned',
    message: expect.stringContaining('BTCUSDC 0.2 and 3 open orders'),
  });
});

test('figures of pairs in one quote asset are summed exactly', () => {
  const position = (symbol: string, realisedPnl: string) => ({
    symbol,
    quantity: '1',
    realisedPnl,
    openOrders: 2,
  });
  const positions = [position('BTCUSDC', '0.1'), position('ETHUSDC', '0.2')];
  const instance = made({}, { state: 'Active', sidecarConnected: true, positions, acceptedOrders: 5 });
  const { status } = plan(world({ instances: [instance] }));
  expect(status.summary).toMatchObject({
    state: 'Active',
    realisedPnl: '0.3',
    quoteAsset: 'USDC',
    openOrders: 4,
    acceptedOrders: 5,
    position: 'BTCUSDC 1, ETHUSDC 1',
  });
  expect(findCondition(status.conditions, 'Ready')?.status).toBe('True');
});

test('a sum over different quote assets is not given', () => {
  const positions = [
    { symbol: 'BTCUSDC', quantity: '1', realisedPnl: '1', openOrders: 0 },
    { symbol: 'ETHBTC', quantity: '1', realisedPnl: '1', openOrders: 0 },
  ];
  const { status } = plan(world({ instances: [made({}, { state: 'Active', positions })] }));
  expect(status.summary?.realisedPnl).toBeUndefined();
});

// Changing parts of objects.
import type { Take } from '../recorder.ts';
import { API } from './manifests.ts';

const patch = (body: unknown): string => `'${JSON.stringify(body)}'`;

export const changeScenes = [
  async (take: Take) => {
    await take.kubectl('annotate ts taker note=first');
    await take.kubectl('annotate ts taker note=second');
    await take.kubectl('annotate ts taker note=second --overwrite');
    await take.kubectl('annotate ts taker note-');
    await take.kubectl('annotate ts --all desk=blue');
  },
  async (take: Take) => {
    await take.kubectl('label ts taker tier=gold');
    await take.kubectl('label ts taker tier=gold');
    await take.kubectl('label ts taker tier=silver');
    await take.kubectl('label ts taker tier=silver --overwrite');
    await take.kubectl("label ts taker 'tier=not a value' --overwrite");
    await take.kubectl('label ts -l team=blue tier=bronze --overwrite --dry-run=server');
    await take.kubectl('label ts taker tier-');
    await take.kubectl('label ts absent tier=gold');
  },
  async (take: Take) => {
    await take.kubectl(`patch ts taker --type=merge -p ${patch({ spec: { suspended: true } })}`);
    await take.kubectl(`patch ts taker --type=merge -p ${patch({ spec: { suspended: true } })}`);
    await take.kubectl(`patch ts taker --type=merge -p ${patch({ spec: { suspended: null } })}`);
    await take.kubectl(
      `patch ts taker --type=merge -p ${patch({ spec: { accountRef: { name: 'other' } } })}`,
    );
    await take.kubectl(`patch ts taker --type=merge -p ${patch({ spec: { bogus: 1 } })}`);
    await take.kubectl(`patch ts taker -p ${patch({ spec: { suspended: true } })}`);
    await take.kubectl(
      `patch ts taker --type=json -p ${patch([{ op: 'replace', path: '/spec/mode', value: 'Shadow' }])}`,
    );
    await take.kubectl(
      `patch ts taker --type=json -p ${patch([{ op: 'test', path: '/spec/mode', value: 'Live' }])}`,
    );
    await take.kubectl(`patch ts taker --type=json -p ${patch([{ op: 'remove', path: '/spec/nothing' }])}`);
    await take.kubectl(`patch ts absent --type=merge -p ${patch({ spec: { suspended: true } })}`);
    await take.kubectl(
      `patch ts taker --type=merge -p ${patch({ metadata: { resourceVersion: '1' }, spec: { suspended: true } })}`,
    );
    await take.kubectl(
      `patch ts taker --subresource=status --type=merge -p ${patch({ status: { core: 'core' } })}`,
    );
    await take.kubectl('get ts taker --subresource=status -o name');
    await take.kubectl(`patch cm words --type=merge -p ${patch({ data: { c: '3', a: null } })}`);
  },
  async (take: Take) => {
    // As the operator and the agent write.
    const status = {
      status: {
        observedGeneration: 1,
        environment: 'Simulated',
        conditions: [
          {
            type: 'Accepted',
            status: 'True',
            reason: 'Accepted',
            message: '',
            observedGeneration: 1,
            lastTransitionTime: '2026-01-01T00:00:00Z',
          },
          {
            type: 'Ready',
            status: 'False',
            reason: 'InstanceStarting',
            message: 'the instance starts',
            lastTransitionTime: '2026-01-01T00:00:00Z',
          },
        ],
        summary: {
          state: 'Active',
          position: 'BTCUSDC 0.0012',
          realisedPnl: '-12.5',
          openOrders: 3,
          acceptedOrders: 40,
          fills: 12,
          rejects: 0,
        },
      },
    };
    await take.direct(
      'PATCH',
      `${API}/tradingstrategies/maker/status?fieldManager=operator`,
      status,
      'application/merge-patch+json',
    );
    await take.direct(
      'PATCH',
      `${API}/tradingstrategies/maker/status?fieldManager=operator`,
      status,
      'application/merge-patch+json',
    );
    const applied = {
      apiVersion: 'trading.flashpod.dev/v1alpha1',
      kind: 'TradingStrategy',
      metadata: { name: 'maker', namespace: 'desk' },
      status: {
        core: 'core',
        conditions: [
          {
            type: 'Flat',
            status: 'True',
            reason: 'Flat',
            message: 'no position',
            lastTransitionTime: '2026-01-01T00:00:00Z',
          },
        ],
      },
    };
    const apply = `${API}/tradingstrategies/maker/status?fieldManager=agent&force=true`;
    await take.direct('PATCH', apply, applied, 'application/apply-patch+yaml');
    await take.direct(
      'PATCH',
      apply,
      {
        ...applied,
        status: { conditions: [{ ...applied.status.conditions[0], status: 'False', type: 'Ready' }] },
      },
      'application/apply-patch+yaml',
    );
    await take.direct(
      'PATCH',
      `${API}/tradingstrategies/maker/status?force=true`,
      applied,
      'application/apply-patch+yaml',
    );
    await take.direct(
      'PATCH',
      `${API}/tradingstrategies/maker/status?fieldManager=third`,
      applied,
      'application/apply-patch+yaml',
    );
    await take.kubectl('get ts maker -o yaml --show-managed-fields');
  },
];

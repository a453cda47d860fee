// Waiting for things, and ending them.
import type { Take } from '../recorder.ts';
import { API, strategy } from './manifests.ts';

const MERGE = 'application/merge-patch+json';
const DELETE = { apiVersion: 'v1', kind: 'DeleteOptions' };

export const endScenes = [
  async (take: Take) => {
    await take.during('wait --for=condition=Ready ts/maker --timeout=30s', 0, async () => {
      await take.direct(
        'PATCH',
        `${API}/tradingstrategies/maker/status?fieldManager=operator`,
        {
          status: {
            conditions: [
              {
                type: 'Ready',
                status: 'True',
                reason: 'Ready',
                message: 'it trades',
                lastTransitionTime: '2026-01-01T00:05:00Z',
              },
            ],
          },
        },
        MERGE,
      );
    });
  },
  async (take: Take) => {
    await take.kubectl("wait --for=jsonpath='{.spec.mode}'=Paper ts/maker --timeout=30s");
    await take.kubectl('wait --for=condition=Ready ts/absent --timeout=1s');
    await take.kubectl('wait --for=delete ts/absent --timeout=30s');
  },
  async (take: Take) => {
    take.file('late.yaml', strategy('late'));
    await take.kubectl('create -f late.yaml');
    await take.kubectl('wait --for=create ts/late --timeout=30s');
  },
  async (take: Take) => {
    await take.kubectl('delete ts late --dry-run=server');
    await take.kubectl('delete ts late');
    await take.kubectl('delete ts late');
    await take.kubectl('delete ts late --ignore-not-found');
  },
  async (take: Take) => {
    // Held by a finalizer until that is taken away.
    await take.direct(
      'PATCH',
      `${API}/tradingstrategies/fresh`,
      { metadata: { finalizers: ['trading.flashpod.dev/flat'] } },
      MERGE,
    );
    await take.kubectl('delete ts fresh --wait=false');
    await take.kubectl('get ts fresh -o yaml');
    await take.kubectl('delete ts fresh --wait=false');
    await take.direct(
      'PATCH',
      `${API}/tradingstrategies/fresh`,
      { metadata: { finalizers: ['trading.flashpod.dev/flat', 'another.example.com/one'] } },
      MERGE,
    );
    await take.during('wait --for=delete ts/fresh --timeout=30s', 0, async () => {
      await take.direct('PATCH', `${API}/tradingstrategies/fresh`, { metadata: { finalizers: null } }, MERGE);
    });
  },
  async (take: Take) => {
    const taker = (await take.direct('GET', `${API}/tradingstrategies/taker`)) as {
      metadata: { uid: string; resourceVersion: string };
    };
    const wrong = '00000000-0000-4000-8000-000000000000';
    await take.direct('DELETE', `${API}/tradingstrategies/taker`, {
      ...DELETE,
      preconditions: { uid: wrong },
    });
    await take.direct('DELETE', `${API}/tradingstrategies/taker`, {
      ...DELETE,
      preconditions: { resourceVersion: '1' },
    });
    await take.direct('DELETE', `${API}/tradingstrategies/taker`, {
      ...DELETE,
      propagationPolicy: 'Sideways',
    });
    await take.direct('DELETE', `${API}/tradingstrategies/taker?dryRun=Some`, DELETE);
    await take.direct('DELETE', `${API}/tradingstrategies/taker`, {
      ...DELETE,
      preconditions: { uid: taker.metadata.uid },
    });
  },
  async (take: Take) => {
    await take.kubectl('delete cm other words -o name');
    await take.kubectl('delete ts -l team=blue');
    await take.kubectl('delete ts --all');
    await take.kubectl('delete -f account.yaml --cascade=foreground');
    await take.kubectl('delete xc core --cascade=orphan');
  },
  async (take: Take) => {
    await take.kubectl('delete pod waiting --wait=false');
    await take.kubectl('get pod waiting');
    await take.kubectl('delete pod waiting --grace-period=0 --force');
  },
  async (take: Take) => {
    // Lists and watches by hand: pages, versions, first events by watch.
    for (const name of ['a', 'b', 'c'])
      await take.direct('POST', '/api/v1/namespaces/desk/configmaps', {
        metadata: { name: `page-${name}` },
        data: { a: '1' },
      });
    const all = '/api/v1/namespaces/desk/configmaps?labelSelector=!nothing';
    const first = (await take.direct('GET', `${all}&limit=2`)) as {
      metadata: { continue: string; resourceVersion: string };
    };
    await take.direct('GET', `${all}&limit=2&continue=${first.metadata.continue}`);
    await take.direct('GET', `${all}&limit=1&continue=nonsense`);
    await take.direct('GET', `${all}&resourceVersion=99999999999999999`);
    await take.direct('GET', `${all}&resourceVersion=nonsense`);
    await take.direct('GET', `${all}&resourceVersionMatch=NotOlderThan`);
    await take.direct('GET', `${all}&resourceVersion=0`);
    await take.direct('GET', `${API}/halts?watch=true&resourceVersion=1&timeoutSeconds=1`);
    await take.direct(
      'GET',
      `${all}&watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1`,
    );
    await take.direct('GET', `${all}&watch=true&sendInitialEvents=true&timeoutSeconds=1`);
    await take.direct('POST', '/api/v1/namespaces/desk/configmaps', { metadata: { generateName: 'made-' } });
    await take.direct('POST', '/api/v1/namespaces/desk/configmaps', { metadata: {} });
    await take.direct('POST', '/api/v1/namespaces/desk/configmaps?fieldValidation=Strict', {
      metadata: { name: 'x' },
      datum: {},
    });
    await take.direct('POST', '/api/v1/namespaces/desk/configmaps', {
      metadata: { name: 'x' },
      data: { a: 5 },
    });
    await take.direct('POST', '/api/v1/namespaces/desk/configmaps', 'nonsense');
    await take.direct('POST', '/api/v1/namespaces/desk/configmaps', {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { name: 'x' },
    });
    await take.direct('POST', '/api/v1/namespaces/desk/configmaps?dryRun=Some', { metadata: { name: 'x' } });
    await take.direct('POST', '/api/v1/namespaces/desk/configmaps', {
      metadata: { name: 'x', namespace: 'other' },
    });
    await take.direct('PATCH', '/api/v1/namespaces/desk/configmaps/page-a', {}, 'text/plain');
    await take.direct('DELETE', '/api/v1/namespaces/desk/configmaps?labelSelector=!nothing');
  },
  async (take: Take) => {
    await take.kubectl('delete ns default');
    await take.kubectl('delete ns desk --timeout=30s');
    await take.kubectl('get ns desk');
    await take.kubectl('delete crd halts.trading.flashpod.dev --timeout=30s');
    await take.kubectl('get halts -n default');
  },
];

// The halt controller: says what each Halt selects. It stops nothing: the agents do that, also without an operator.

import type { TradingStrategy } from '@flashpod/crds';
import { Halts } from '../api/resources.js';
import { updateStatus } from '../api/status.js';
import type { Context } from '../context.js';
import {
  Controller,
  type KubeObject,
  type Reflector,
  type Store,
  type Stored,
  splitKey,
} from '../kube/index.js';
import { haltStatus } from './plan.js';

export function haltController(context: Context): Controller {
  const { caches, metrics, log } = context;
  const controller = new Controller({
    name: 'halt',
    metrics,
    reconcile: async (key) => {
      await reconcile(context, key);
      return undefined;
    },
    onError: (halt, err, failures) => log.warn({ err, halt, failures }, 'halt is tried again'),
  }).watch(caches.halts);
  const again = (of: KubeObject) => {
    for (const { metadata } of inNamespace(caches.halts.store, of.metadata?.namespace))
      controller.queue.add(`${metadata.namespace}/${metadata.name}`);
  };
  // What comes or goes may be what a halt names; the rest of a status changes every second.
  const follow = <T extends KubeObject>(reflector: Reflector<T>, core: (object: T) => string | undefined) => {
    controller.watch(reflector, () => []);
    reflector.onChange((change) => {
      if (change.type !== 'updated' || core(change.old) !== core(change.object)) again(change.object);
    });
  };
  follow(caches.strategies, ({ status }: TradingStrategy) => status?.core);
  follow(caches.accounts, () => undefined);
  follow(caches.cores, () => undefined);
  return controller;
}

async function reconcile({ caches, client, mayWrite }: Context, key: string): Promise<void> {
  const halt = caches.halts.store.get(key);
  if (halt === undefined || !mayWrite()) return;
  const { namespace = 'default' } = splitKey(key);
  const world = {
    namespace,
    strategies: inNamespace(caches.strategies.store, namespace),
    accounts: inNamespace(caches.accounts.store, namespace),
    cores: inNamespace(caches.cores.store, namespace),
  };
  await updateStatus(client.of(Halts), halt, ({ status }) => haltStatus(halt, world, status, new Date()));
}

function inNamespace<T extends KubeObject>(store: Store<T>, namespace: string | undefined): Stored<T>[] {
  return store.list().filter(({ metadata }) => metadata.namespace === namespace);
}

// The operator: composition root. Everything it does is in strategy/, fleet/ and account/.

import { hostname } from 'node:os';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { accountController } from './account/index.js';
import { Caches, type EventReason, images, labels, managedBy, version } from './api/index.js';
import type { Context } from './context.js';
import { parseOptions, run } from './entry.js';
import { Exit, type ExitCode } from './errors.js';
import { coreController } from './fleet/index.js';
import { haltController } from './halt/index.js';
import { serveHealth } from './health.js';
import {
  ConfigMaps,
  type Controller,
  EventRecorder,
  Events,
  KubeClient,
  LeaderElector,
  LeaseLock,
  Leases,
  Pods,
  promMetrics,
  Reflector,
} from './kube/index.js';
import { strategyController } from './strategy/index.js';

const usage = `flashpod-operator [options]
  --namespace NAME         watch one namespace (default: all)
  --http HOST:PORT         health and metrics (default 127.0.0.1:0, chosen and logged)
  --image-registry PREFIX  images are PREFIX/core, PREFIX/agent, PREFIX/sidecar (default flashpod)
  --image-tag TAG          (default ${version})
  --leader-elect           act only while holding a Lease, exit when it is lost
  --leader-namespace NAME  namespace of that Lease (default: POD_NAMESPACE, else default)`;

const log = pino({ name: 'operator', level: process.env['FLASHPOD_LOG'] ?? 'info' }, pino.destination(2));

function readArgs() {
  return parseOptions({
    namespace: { type: 'string' },
    http: { type: 'string', default: '127.0.0.1:0' },
    'image-registry': { type: 'string', default: 'flashpod' },
    'image-tag': { type: 'string', default: version },
    'leader-elect': { type: 'boolean', default: false },
    'leader-namespace': { type: 'string', default: process.env['POD_NAMESPACE'] ?? 'default' },
    help: { type: 'boolean', default: false },
  });
}

async function main(): Promise<ExitCode> {
  const args = readArgs();
  if (args.help) {
    process.stdout.write(`${usage}\n`);
    return Exit.ok;
  }
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort(signal));

  const registry = new Registry();
  const metrics = promMetrics(registry);
  const client = KubeClient.load({ userAgent: `flashpod-operator/${version}` });
  const scope = args.namespace === undefined ? {} : { namespace: args.namespace };
  const onError = (err: unknown, doing: string) =>
    log.warn({ err, doing }, 'reading the API failed; it is tried again');
  const caches = new Caches(client, { ...scope, metrics, onError });
  const pods = new Reflector(client.of(Pods), {
    ...scope,
    metrics,
    onError,
    labelSelector: `${labels.managedBy}=${managedBy}`,
  });
  const schemas = new Reflector(client.of(ConfigMaps), {
    ...scope,
    metrics,
    onError,
    labelSelector: labels.parametersSchema,
  });
  const identity = process.env['POD_NAME'] ?? `${hostname()}-${process.pid}`;
  const component = 'trading.flashpod.dev/operator';
  const events = new EventRecorder<EventReason>(client.of(Events), {
    component,
    instance: identity,
    metrics,
  });

  let mayWrite = () => !stop.signal.aborted;
  const context: Context = {
    client,
    caches,
    pods,
    schemas,
    events,
    metrics,
    log,
    images: images(args['image-registry'], args['image-tag']),
    mayWrite: () => mayWrite(),
  };
  const controllers: Controller[] = [
    strategyController(context),
    coreController(context),
    accountController(context),
    haltController(context),
  ];
  const ready = () =>
    pods.hasSynced && schemas.hasSynced && caches.all.every((reflector) => reflector.hasSynced);
  const http = await serveHealth(args.http, { registry, ready });
  log.info({ http: http.address, version, namespace: args.namespace ?? 'all' }, 'operator is up');

  caches.start();
  pods.start();
  schemas.start();
  const lead = async (signal: AbortSignal) => {
    for (const controller of controllers) controller.start();
    await aborted(signal);
    await Promise.all(controllers.map((controller) => controller.stop()));
  };
  let outcome: 'stopped' | 'lost' = 'stopped';
  if (args['leader-elect']) {
    const key = { namespace: args['leader-namespace'], name: 'flashpod-operator' };
    const lock = new LeaseLock(client.of(Leases), { key, identity, durationSeconds: 15 });
    const elector = new LeaderElector(lock, {
      name: 'operator',
      metrics,
      onError: (err) => log.warn({ err }, 'leader election failed; it is tried again'),
    });
    mayWrite = () => elector.isLeading;
    outcome = await elector.run(stop.signal, lead);
  } else {
    await lead(stop.signal);
  }
  await Promise.all([events.flush(), caches.stop(), pods.stop(), schemas.stop()]);
  await Promise.all([http.close(), client.close()]);
  log.info({ outcome }, 'operator stopped');
  // A former leader exits, so that its picture of the world ends with it.
  return outcome === 'lost' ? Exit.conflict : Exit.ok;
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

run(main, usage);

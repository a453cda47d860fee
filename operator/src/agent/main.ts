// The core agent: runs beside one execution core, as a native sidecar of its pod.

import { pino } from 'pino';
import { Registry } from 'prom-client';
import { Caches, coreGraceSeconds, type EventReason, version } from '../api/index.js';
import { parseOptions, run } from '../entry.js';
import { Exit, type ExitCode, FlashpodError } from '../errors.js';
import { serveHealth } from '../health.js';
import { EventRecorder, Events, KubeClient, promMetrics } from '../kube/index.js';
import { Agent } from './agent.js';
import { agentMetrics } from './metrics.js';

const usage = `flashpod-agent --core NAME --namespace NAME --socket PATH [--http HOST:PORT]
  --core NAME       the ExecutionCore beside which it runs
  --namespace NAME  its namespace
  --socket PATH     the core's agent socket
  --http HOST:PORT  health and metrics (default 127.0.0.1:0, chosen and logged)
  POD_UID and POD_NAME in the environment say who it is.`;

const log = pino({ name: 'agent', level: process.env['FLASHPOD_LOG'] ?? 'info' }, pino.destination(2));

function readArgs() {
  const values = parseOptions({
    core: { type: 'string' },
    namespace: { type: 'string' },
    socket: { type: 'string' },
    http: { type: 'string', default: '127.0.0.1:0' },
    help: { type: 'boolean', default: false },
  });
  const required = (flag: string, value: string | undefined, accepted: string): string => {
    if (value) return value;
    throw new FlashpodError('process.arguments', `${flag} is missing; accepted: ${accepted}`);
  };
  if (values.help) return undefined;
  return {
    core: required('--core', values.core, 'the name of an ExecutionCore'),
    namespace: required('--namespace', values.namespace, 'a namespace'),
    socket: required('--socket', values.socket, "the path of the core's agent socket"),
    identity: required('POD_UID', process.env['POD_UID'], 'the UID of this pod'),
    pod: required('POD_NAME', process.env['POD_NAME'], 'the name of this pod'),
    http: values.http,
  };
}

async function main(): Promise<ExitCode> {
  const args = readArgs();
  if (args === undefined) {
    process.stdout.write(`${usage}\n`);
    return Exit.ok;
  }
  const { core, namespace, socket, identity, pod } = args;
  const stopping = Promise.withResolvers<string>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.resolve(signal));

  const registry = new Registry();
  const metrics = promMetrics(registry);
  const client = KubeClient.load({ userAgent: `flashpod-agent/${version}` });
  const onError = (err: unknown, doing: string) =>
    log.warn({ err, doing }, 'reading the API failed; it is tried again');
  const caches = new Caches(client, { namespace, metrics, onError });
  const events = new EventRecorder<EventReason>(client.of(Events), {
    component: 'trading.flashpod.dev/agent',
    instance: pod,
    metrics,
  });
  const agent = new Agent({
    client,
    caches,
    events,
    namespace,
    core,
    socket,
    identity,
    log,
    metrics: agentMetrics(registry),
  });
  const http = await serveHealth(args.http, { registry, ready: () => agent.connected });
  log.info({ http: http.address, version, core, namespace }, 'agent is up');

  caches.start();
  await Promise.race([agent.start(), stopping.promise]);
  const signal = await stopping.promise;
  log.info({ signal }, 'stopping after the core');
  await agent.stop((coreGraceSeconds - 5) * 1_000);
  await Promise.all([events.flush(), caches.stop()]);
  await Promise.all([http.close(), client.close()]);
  log.info('agent stopped');
  return Exit.ok;
}

run(main, usage);

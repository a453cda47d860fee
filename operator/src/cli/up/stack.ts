import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crdDirectory, samplesDirectory } from '@flashpod/crds';
import { FlashpodError } from '../../errors.js';
import { KubeClient, type Pod } from '../../kube/index.js';
import { startApiServer, startProcessNode } from '../../local/index.js';
import { applyManifest } from '../apply.js';
import { type Manifest, readManifests } from '../manifests.js';
import { type Child, startChild } from './child.js';
import {
  agentSocketOf,
  forRecording,
  namespace,
  venueBalances,
  venueObjects,
  withEndpoints,
} from './objects.js';
import type { UpOptions } from './options.js';
import { recordedPairs } from './recording.js';
import { createRunDirectory, type RunDirectory } from './run-directory.js';
import { startVenue, type Venue } from './venue.js';

const checkout = fileURLToPath(new URL('../../../../', import.meta.url));
const binary = (name: string): string =>
  join(process.env['FLASHPOD_BIN_DIR'] ?? join(checkout, 'core-engine/target/release'), name);
const operatorGraceMs = 5_000;
const restartAfterMs = 1_000;

/** Everything that runs, in the order in which it was started. */
export interface Stack {
  readonly run: RunDirectory;
  readonly venue: Venue;
  readonly client: KubeClient;
  readonly account: Manifest;
  readonly core: Manifest;
  readonly strategies: readonly Manifest[];
  /** The core's socket for its agent. */
  readonly agentSocket: string;
  /** Rejects when a part that cannot be replaced has ended. */
  readonly broken: Promise<never>;
  stop(): Promise<void>;
}

/** The image names of our manifests, and what they are here. */
function images(): Record<string, [string, ...string[]]> {
  const script = (path: string): [string, ...string[]] => [process.execPath, join(checkout, path)];
  return {
    'flashpod/core': [binary('flashpod-core')],
    'flashpod/agent': script('operator/dist/agent/main.js'),
    'flashpod/sidecar': script('strategy-pods/sidecar/dist/main.js'),
  };
}

/** Strategies stop before the core that they speak to. */
function strategiesFirst(pods: readonly Pod[]): Pod[][] {
  const isCore = (pod: Pod) =>
    pod.metadata?.ownerReferences?.some(({ kind }) => kind === 'ExecutionCore') ?? false;
  return [pods.filter((pod) => !isCore(pod)), pods.filter(isCore)];
}

/** Keeps the operator running: a process of its own, started again when it ends. */
function superviseOperator(run: RunDirectory): { stop(): Promise<void>; pid(): number | undefined } {
  let stopping = false;
  let child: Child;
  const start = () => {
    child = startChild(
      'the operator',
      [process.execPath, join(checkout, 'operator/dist/main.js'), '--namespace', namespace],
      { log: join(run.logs, 'operator.log'), stdout: 'log', env: { KUBECONFIG: run.kubeconfig } },
    );
    void child.ended.then(() => {
      if (!stopping) setTimeout(() => stopping || start(), restartAfterMs);
    });
  };
  start();
  return {
    pid: () => child.process.pid,
    async stop() {
      stopping = true;
      await child.stop(operatorGraceMs);
    },
  };
}

function sample(kind: string): Manifest[] {
  return ['account', 'core', 'imbalance-maker', 'momentum-taker']
    .flatMap((name) => readManifests(join(samplesDirectory, `${name}.yaml`)))
    .filter((manifest) => manifest.kind === kind)
    .map((manifest) => ({ ...manifest, metadata: { ...manifest.metadata, namespace } }));
}

/** Starts venue, API server, node and operator, and applies the samples. `say` reports each step. */
export async function startStack(options: UpOptions, say: (line: string) => void): Promise<Stack> {
  const pairs = await recordedPairs(options.replay);
  const strategies = sample('TradingStrategy').map((strategy) =>
    pairs.length > 0 ? forRecording(strategy, pairs) : strategy,
  );
  const [accountSample] = sample('TradingAccount');
  const [core] = sample('ExecutionCore');
  if (!accountSample || !core) throw new FlashpodError('up.failed', 'crds/samples has no account or no core');

  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const next of stops.splice(0).reverse()) await next();
  };
  try {
    const run = createRunDirectory();
    const venue = await startVenue(binary('flashpod-venue'), options, venueBalances(strategies), {
      run: run.path,
      logs: run.logs,
    });
    stops.push(() => venue.stop());
    say(
      `venue      ${venue.rest} (${pairs.length > 0 ? `replay of ${pairs.map(({ symbol }) => symbol).join(', ')}` : `synthetic market, seed ${options.seed}`})`,
    );

    const server = await startApiServer({ crdDir: crdDirectory, port: 0, kubeconfigPath: run.kubeconfig });
    stops.push(() => server.stop());
    const nodeRoot = join(run.path, 'n');
    mkdirSync(nodeRoot, { recursive: true });
    const node = await startProcessNode({
      kubeconfigPath: run.kubeconfig,
      root: nodeRoot,
      logsDir: join(run.logs, 'pods'),
      images: images(),
      drainOrder: strategiesFirst,
    });
    stops.push(() => node.stop());
    const operator = superviseOperator(run);
    stops.push(() => operator.stop());

    const account = withEndpoints(accountSample, venue);
    const client = KubeClient.load({ kubeconfig: run.kubeconfig });
    stops.push(() => client.close());
    for (const object of [...venueObjects(venue), account, core, ...strategies]) {
      await applyManifest(client, object, namespace);
    }
    const broken = venue.child.ended.then((how): never => {
      throw new FlashpodError('up.failed', how);
    });
    broken.catch(() => {});
    say(`kubeconfig ${run.kubeconfig}`);
    say(`logs       ${run.logs}`);
    return {
      run,
      venue,
      client,
      account,
      core,
      strategies,
      agentSocket: agentSocketOf(join(nodeRoot, 'host'), core.metadata.name),
      broken,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

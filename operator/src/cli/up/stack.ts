import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { crdDirectory, samplesDirectory } from '@flashpod/crds';
import { FlashpodError } from '../../errors.js';
import { KubeClient, type Pod } from '../../kube/index.js';
import { Reaper, startApiServer, startProcessNode } from '../../local/index.js';
import { applyManifest } from '../apply.js';
import { type Manifest, readManifests } from '../manifests.js';
import { packageCommand, readPackages, type StrategyPackage } from '../package.js';
import { binary, checkout } from './checkout.js';
import { externalVenue, inMode, refuseLiveWithoutKeys } from './external-venue.js';
import {
  agentSocketOf,
  forRecording,
  namespace,
  venueBalances,
  venueObjects,
  withEndpoints,
} from './objects.js';
import { superviseOperator } from './operator.js';
import type { UpOptions } from './options.js';
import { type RecordedPair, recordedPairs } from './recording.js';
import { resume } from './restored.js';
import { createRunDirectory, type RunDirectory } from './run-directory.js';
import { startVenue, type Venue } from './venue.js';

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
  /** `graceMs`: no pod gets longer to end, whatever its own grace period. */
  stop(graceMs?: number): Promise<void>;
}

/** The image names of our manifests and of the user's packages, and what they are here. */
function images(packages: readonly StrategyPackage[]): Record<string, [string, ...string[]]> {
  const script = (path: string): [string, ...string[]] => [process.execPath, join(checkout, path)];
  return {
    'flashpod/core': [binary('flashpod-core')],
    'flashpod/agent': script('operator/dist/agent/main.js'),
    'flashpod/sidecar': script('strategy-pods/sidecar/dist/main.js'),
    ...Object.fromEntries(
      packages.flatMap(({ repositories, folder }) =>
        repositories.map((one) => [one, packageCommand(folder)]),
      ),
    ),
  };
}

/** Strategies stop before the core that they speak to. */
function strategiesFirst(pods: readonly Pod[]): Pod[][] {
  const isCore = (pod: Pod) =>
    pod.metadata?.ownerReferences?.some(({ kind }) => kind === 'ExecutionCore') ?? false;
  return [pods.filter((pod) => !isCore(pod)), pods.filter(isCore)];
}

function sample(kind: string): Manifest[] {
  return ['account', 'core', 'imbalance-maker', 'momentum-taker']
    .flatMap((name) => readManifests(join(samplesDirectory, `${name}.yaml`)))
    .filter((manifest) => manifest.kind === kind)
    .map((manifest) => ({ ...manifest, metadata: { ...manifest.metadata, namespace } }));
}

const ownManifests = ({ manifests }: StrategyPackage): Manifest[] =>
  manifests.map((manifest) => ({ ...manifest, metadata: { ...manifest.metadata, namespace } }));

/** Undoes the steps of the start, last one first; a step that fails does not keep the others from theirs. */
async function undo(stops: ((graceMs?: number) => Promise<void>)[], graceMs?: number): Promise<void> {
  const errors: unknown[] = [];
  for (const stop of stops.splice(0).reverse())
    await stop(graceMs).catch((error: unknown) => errors.push(error));
  if (errors.length > 0) throw errors[0];
}

function requireBinaries(): void {
  for (const path of ['flashpod-core', 'flashpod-venue'].map(binary)) {
    if (!existsSync(path))
      throw new FlashpodError('up.failed', `${path} is missing`, { remedy: 'Run `npm run build`.' });
  }
}

/** Starts the simulated exchange of this run. */
async function ownVenue(
  options: UpOptions,
  strategies: readonly Manifest[],
  pairs: readonly RecordedPair[],
  run: RunDirectory,
  reaper: Reaper,
  end: AbortSignal,
  say: (line: string) => void,
): Promise<Venue> {
  const folders = { run: run.path, logs: run.logs };
  const balances = venueBalances(strategies);
  const venue = await startVenue(binary('flashpod-venue'), options, balances, folders, reaper, end);
  const market =
    pairs.length > 0
      ? `replay of ${pairs.map(({ symbol }) => symbol).join(', ')}`
      : `synthetic market, seed ${options.seed}`;
  say(`venue      ${venue.rest} (${market})`);
  return venue;
}

/**
 * Starts venue, API server, node and operator, and applies the samples. `say` reports each step. When `end` aborts,
 * or a step fails, what was started is stopped again.
 */
export async function startStack(
  options: UpOptions,
  end: AbortSignal,
  say: (line: string) => void,
): Promise<Stack> {
  requireBinaries();
  const pairs = await recordedPairs(options.replay);
  const packages = await readPackages(options.strategies);
  const manifests = packages.length > 0 ? packages.flatMap(ownManifests) : sample('TradingStrategy');
  // The samples without keys are tried out, not traded.
  const triedOut = options.venue !== undefined && !options.venue.credentials && packages.length === 0;
  const isStrategy = ({ kind }: Manifest) => kind === 'TradingStrategy';
  const beside = manifests.filter((manifest) => !isStrategy(manifest));
  const strategies = manifests
    .filter(isStrategy)
    .map((strategy) => (pairs.length > 0 ? forRecording(strategy, pairs) : strategy))
    .map((strategy) => inMode(strategy, options.mode ?? (triedOut ? 'Paper' : undefined)));
  if (options.venue) refuseLiveWithoutKeys(strategies, options.venue);
  const [accountSample] = sample('TradingAccount');
  const [coreSample] = sample('ExecutionCore');
  if (!accountSample || !coreSample)
    throw new FlashpodError('up.failed', 'crds/samples has no account or no core');

  const stops: ((graceMs?: number) => Promise<void>)[] = [];
  let undoing: Promise<void> | undefined;
  const stop = (graceMs?: number) => {
    undoing ??= undo(stops, graceMs);
    return undoing;
  };
  const goOn = () => {
    if (end.aborted) throw new FlashpodError('up.stopped', `stopped during the start: ${end.reason}`);
  };
  try {
    const run = createRunDirectory();
    const reaper = new Reaper();
    stops.push(async () => reaper.close());
    const podLogs = join(run.logs, 'pods');
    const server = await startApiServer({
      crdDir: crdDirectory,
      port: 0,
      kubeconfigPath: run.kubeconfig,
      podLogs,
      ...(options.state === undefined ? {} : { stateDir: options.state }),
    });
    stops.push(() => server.stop());
    const client = KubeClient.load({ kubeconfig: run.kubeconfig });
    stops.push(() => client.close());
    const kept = server.restored ? await resume(client) : undefined;
    // Samples are for the first run: what became of them since is the user's.
    const given = kept === undefined || packages.length > 0 ? strategies : [];
    const all = [...given, ...(kept?.strategies ?? [])];
    goOn();
    const venue = options.venue
      ? await externalVenue(options.venue, all, say)
      : await ownVenue(options, all, pairs, run, reaper, end, say);
    stops.push(() => venue.stop());
    goOn();
    const nodeRoot = join(run.path, 'n');
    mkdirSync(nodeRoot, { recursive: true });
    const node = await startProcessNode({
      kubeconfigPath: run.kubeconfig,
      root: nodeRoot,
      logsDir: podLogs,
      images: images(packages),
      drainOrder: strategiesFirst,
      maxBackoffMs: options.restartBackoffMs,
    });
    stops.push((graceMs) => node.stop(graceMs));
    goOn();
    const operator = superviseOperator(run, reaper, say, options.restartBackoffMs);
    stops.push(() => operator.stop());

    const account = withEndpoints(kept?.account ?? accountSample, venue);
    const core = kept?.core ?? coreSample;
    for (const object of [...venueObjects(venue), account, core, ...beside, ...given]) {
      await applyManifest(client, object, namespace);
      goOn();
    }
    const ended = venue.child?.ended ?? new Promise<string>(() => {});
    const broken = ended.then((how): never => {
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
      strategies: all,
      agentSocket: agentSocketOf(join(nodeRoot, 'host'), core.metadata.name),
      broken,
      stop,
    };
  } catch (error) {
    await stop().catch(() => {});
    throw error;
  }
}

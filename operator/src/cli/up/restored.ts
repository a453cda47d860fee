import { type KubeClient, Leases, Pods } from '../../kube/index.js';
import { resourceOf } from '../kinds.js';
import type { Manifest } from '../manifests.js';
import { namespace } from './objects.js';

/** What an earlier run of the same `--state` left. */
export interface Kept {
  readonly strategies: readonly Manifest[];
  readonly account: Manifest | undefined;
  readonly core: Manifest | undefined;
}

/** The halts with which every run ends; the next one shall trade. */
const ENDINGS = /^end-of-run-/;

/**
 * Takes away what belonged to the processes of the earlier run: its pods, their hold on leases, and its last halts.
 * What the user made stays.
 */
export async function resume(client: KubeClient): Promise<Kept> {
  const pods = client.of(Pods);
  for (const { metadata } of (await pods.list()).items)
    await pods.deleteIfExists(keyOf(metadata), { uid: metadata.uid, graceSeconds: 0 });
  const leases = client.of(Leases);
  // Whoever held them has ended: nobody needs to wait for their silence.
  for (const { metadata } of (await leases.list()).items)
    await leases.mergePatch(keyOf(metadata), { spec: { holderIdentity: '' } });
  // Their exchange has ended too: with the new one everything begins anew.
  const instances = client.of(resourceOf('StrategyInstance'));
  for (const { metadata, status } of (await instances.list()).items)
    if (status?.checkpoint !== undefined)
      await instances.mergePatchStatus(keyOf(metadata), { status: { checkpoint: null } } as never);
  const halts = client.of(resourceOf('Halt'));
  for (const { metadata } of (await halts.list()).items)
    if (ENDINGS.test(metadata.name)) await halts.deleteIfExists(keyOf(metadata));

  const strategies = await client.of(resourceOf('TradingStrategy')).list();
  const first = async (kind: 'TradingAccount' | 'ExecutionCore') =>
    (await client.of(resourceOf(kind)).list({ namespace })).items.map(manifestOf)[0];
  return {
    strategies: strategies.items.map(manifestOf),
    account: await first('TradingAccount'),
    core: await first('ExecutionCore'),
  };
}

function keyOf({ namespace: of, name }: { namespace?: string; name: string }) {
  return of === undefined ? { name } : { namespace: of, name };
}

/** A stored object as the manifest that would make it. */
function manifestOf(object: object): Manifest {
  const { apiVersion, kind, metadata, spec = {} } = object as Manifest;
  return {
    apiVersion,
    kind,
    metadata: { name: metadata.name, namespace: metadata.namespace ?? namespace },
    spec,
  };
}

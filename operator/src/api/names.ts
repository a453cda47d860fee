// Every name that two parts must agree on: labels, annotations, finalizers, objects and paths.

import { createHash } from 'node:crypto';

const domain = 'trading.flashpod.dev';

export const finalizers = {
  /** On strategies and instances: held until the stop is proven by the deletion policy. */
  flat: `${domain}/flat`,
  /** On accounts, cores and credential Secrets: held while an instance needs them. */
  inUse: `${domain}/in-use`,
} as const;

export const annotations = {
  /** Hash of what a pod runs; another hash means another pod. */
  podHash: `${domain}/pod-hash`,
  /** Its value must repeat the name of the object: lets go of a strategy, instance or core without a proof. */
  abandon: `${domain}/abandon`,
  /**
   * On a strategy or an account, with any text of at most 64 bytes, e.g. a time: what a loss limit stopped goes on, and
   * losses count from then. Each new text does it once.
   */
  resetRisk: `${domain}/reset-risk`,
  /**
   * On an account, with any text of at most 64 bytes: a difference between its balances and the ledger is accepted.
   * Each new text does it once; `flashpod account adopt` writes it.
   */
  adopt: `${domain}/adopt`,
  /** On an account's Lease: the epoch of its holder. */
  epoch: `${domain}/epoch`,
} as const;

export const labels = {
  managedBy: 'app.kubernetes.io/managed-by',
  component: 'app.kubernetes.io/component',
  strategy: `${domain}/strategy`,
  core: `${domain}/core`,
  /** On a ConfigMap: it holds the schema of the parameters of a strategy that has an image of its own. */
  parametersSchema: `${domain}/parameters-schema`,
  /** On a credentials Secret: the account that holds it. */
  account: `${domain}/account`,
} as const;

export const managedBy = 'flashpod';

const hex = (text: string, digits: number) =>
  createHash('sha256').update(text).digest('hex').slice(0, digits);

/** Name of an instance: readable, unique per strategy object, number and what runs. */
export function instanceName(
  strategy: { name: string; uid: string },
  number: number,
  runsHash: string,
): string {
  const cut = strategy.name.slice(0, 40).replace(/-+$/, '');
  return `${cut}-${hex(`${strategy.uid}/${number}/${runsHash}`, 8)}`;
}

export const tokenSecretName = (instance: string): string => `${instance}-token`;
export const corePodName = (core: string): string => `${core}-core`;
export const coreConfigName = (core: string): string => `${core}-core-config`;
export const accountLeaseName = (account: string): string => `flashpod-account-${account}`;

/** Folders of one core on its node. Hashed: unix socket paths end at 107 bytes. */
export function hostPaths(namespace: string, core: string): { state: string; run: string } {
  const hash = hex(`${namespace}/${core}`, 10);
  return { state: `/var/lib/flashpod/${hash}`, run: `/run/flashpod/${hash}` };
}

/** Folder of one instance's socket, below the core's run folder. */
export const sessionFolder = (run: string, instance: string): string => `${run}/i/${hex(instance, 10)}`;

/** Stable JSON (keys sorted), hashed: the same content has the same hash whatever the order of its keys. */
export function contentHash(content: unknown, digits = 16): string {
  return hex(stableJson(content), digits);
}

export function stableJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(stableJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
      .filter(([, entry]) => entry !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, entry]) => `${JSON.stringify(key)}:${stableJson(entry)}`);
    return `{${entries.join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

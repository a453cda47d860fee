import { type Kind, kinds, type ObjectByKind } from '@flashpod/crds';
import {
  ConfigMaps,
  defineResource,
  type KubeObject,
  Namespaces,
  type Resource,
  Secrets,
} from '../kube/index.js';
import { UsageError } from './usage.js';

const names = Object.keys(kinds) as Kind[];
const shortNames: Record<Kind, string> = {
  TradingStrategy: 'ts',
  StrategyInstance: 'si',
  TradingAccount: 'ta',
  ExecutionCore: 'xc',
  Halt: 'halt',
};
const aliases: Record<string, Kind> = {
  strategy: 'TradingStrategy',
  strategies: 'TradingStrategy',
  instance: 'StrategyInstance',
  instances: 'StrategyInstance',
  account: 'TradingAccount',
  accounts: 'TradingAccount',
  core: 'ExecutionCore',
  cores: 'ExecutionCore',
};
/** What a user may type for a kind; the first words are those that help and completions show. */
export const kindWords: readonly string[] = ['strategies', 'instances', 'accounts', 'cores', 'halts'];
/** Built-in kinds that a manifest beside a strategy may hold. */
const builtIn = [ConfigMaps, Namespaces, Secrets] as readonly Resource[];

/** Where a kind of the Flashpod API is served. */
export function resourceOf<K extends Kind>(kind: K): Resource<ObjectByKind[K] & KubeObject> {
  return defineResource({ ...kinds[kind], namespaced: true });
}

/** Finds a kind by what a user types: kind, plural, short name, or plain word. */
export function findKind(text: string): Kind {
  const word = text.toLowerCase();
  const kind =
    aliases[word] ??
    names.find((name) => [name.toLowerCase(), kinds[name].plural, shortNames[name]].includes(word));
  if (kind === undefined) {
    const accepted = names.map((name) => `${kinds[name].plural} (${shortNames[name]})`);
    throw new UsageError('kind', text, `one of ${accepted.join(', ')}`);
  }
  return kind;
}

/** The resource of a manifest; refuses kinds that neither Flashpod nor a strategy's surroundings need. */
export function resourceOfManifest(apiVersion: string, kind: string): Resource {
  const ours = names.find((name) => name === kind);
  if (ours !== undefined && apiVersion === `${kinds[ours].group}/${kinds[ours].version}`)
    return resourceOf(ours);
  const found = builtIn.find((resource) => resource.kind === kind && apiVersion === resource.version);
  if (found) return found;
  const accepted = [
    ...names.map((name) => `${kinds[name].group}/${kinds[name].version} ${name}`),
    ...builtIn.map((r) => `v1 ${r.kind}`),
  ];
  throw new UsageError('kind', `${apiVersion} ${kind}`, `one of ${accepted.join(', ')}`);
}

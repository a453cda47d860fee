import type { Kind } from './kinds/kind.js';

/** The version of the API whose behaviour this server follows. */
const KUBERNETES = { major: '1', minor: '35', gitVersion: 'v1.35.0+flashpod' };

export function version(): unknown {
  return {
    ...KUBERNETES,
    gitCommit: '',
    gitTreeState: 'clean',
    platform: `${process.platform}/${process.arch}`,
  };
}

/** /api */
export function coreVersions(address: string): unknown {
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }],
  };
}

/** /apis */
export function groupList(kinds: readonly Kind[]): unknown {
  const names = [...new Set(kinds.map((kind) => kind.group))].filter((name) => name !== '');
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: names.map((name) => group(kinds, name)) };
}

/** /apis/GROUP */
export function group(
  kinds: readonly Kind[],
  name: string,
): { name: string; versions: unknown[] } & Record<string, unknown> {
  const versions = [...new Set(kinds.filter((kind) => kind.group === name).map((kind) => kind.version))];
  const entries = versions.map((entry) => ({ groupVersion: `${name}/${entry}`, version: entry }));
  return { kind: 'APIGroup', apiVersion: 'v1', name, versions: entries, preferredVersion: entries[0] };
}

const VERBS = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];

/** /api/v1 and /apis/GROUP/VERSION */
export function resourceList(kinds: readonly Kind[], groupVersion: string): unknown {
  const resources = kinds.flatMap((kind) => {
    const { plural, singular, namespaced, shortNames, categories } = kind;
    const main = {
      name: plural,
      singularName: singular,
      namespaced,
      kind: kind.kind,
      verbs: VERBS,
      ...(shortNames.length === 0 ? {} : { shortNames }),
      ...(categories.length === 0 ? {} : { categories }),
    };
    const status = {
      name: `${plural}/status`,
      singularName: '',
      namespaced,
      kind: kind.kind,
      verbs: ['get', 'patch', 'update'],
    };
    return kind.hasStatus ? [main, status] : [main];
  });
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources };
}

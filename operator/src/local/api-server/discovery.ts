import { createHash } from 'node:crypto';
import type { Json, JsonObject } from './json.js';
import type { Kind } from './kinds/kind.js';

/** The version of the API whose behaviour this server follows. */
const KUBERNETES = { major: '1', minor: '36', gitVersion: 'v1.36.3+flashpod' };

export function version(): JsonObject {
  return {
    major: KUBERNETES.major,
    minor: KUBERNETES.minor,
    emulationMajor: KUBERNETES.major,
    emulationMinor: KUBERNETES.minor,
    minCompatibilityMajor: KUBERNETES.major,
    minCompatibilityMinor: String(Number(KUBERNETES.minor) - 1),
    gitVersion: KUBERNETES.gitVersion,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: '',
    compiler: '',
    platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  };
}

/** /api */
export function coreVersions(address: string): JsonObject {
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }],
  };
}

/** /apis */
export function groupList(kinds: readonly Kind[]): JsonObject {
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: groupNames(kinds).map((name) => describeGroup(kinds, name)),
  };
}

/** /apis/GROUP */
export function group(kinds: readonly Kind[], name: string): JsonObject {
  return { kind: 'APIGroup', apiVersion: 'v1', ...describeGroup(kinds, name) };
}

function describeGroup(kinds: readonly Kind[], name: string): JsonObject {
  const versions = versionsOf(kinds, name).map((entry) => ({
    groupVersion: `${name}/${entry}`,
    version: entry,
  }));
  return { name, versions, preferredVersion: versions[0] ?? null };
}

/** /api/v1 and /apis/GROUP/VERSION */
export function resourceList(kinds: readonly Kind[], groupVersion: string): JsonObject {
  const resources = kinds.flatMap((kind) => {
    const { plural, singular, namespaced } = kind;
    const main: JsonObject = {
      name: plural,
      singularName: singular,
      namespaced,
      kind: kind.kind,
      verbs: [...kind.verbs],
      ...names(kind),
      storageVersionHash: storageHash(kind),
    };
    const children = subresourcesOf(kind).map(
      (child): JsonObject => ({
        name: `${plural}/${child.name}`,
        singularName: '',
        namespaced,
        kind: child.kind,
        verbs: child.verbs,
      }),
    );
    return [main, ...children];
  });
  const apiVersion: JsonObject = groupVersion.includes('/') ? { apiVersion: 'v1' } : {};
  return { kind: 'APIResourceList', ...apiVersion, groupVersion, resources };
}

/** /api and /apis for those who ask for all in one: APIGroupDiscoveryList. */
export function aggregated(kinds: readonly Kind[], core: boolean, version: string): JsonObject {
  const items = (core ? [''] : groupNames(kinds)).map((name): JsonObject => {
    const versions = versionsOf(kinds, name).map((entry): JsonObject => {
      const own = kinds.filter((kind) => kind.group === name && kind.version === entry);
      const resources = own.sort((a, b) => (a.plural < b.plural ? -1 : 1)).map(describeResource);
      return { version: entry, resources, freshness: 'Current' };
    });
    return { metadata: name === '' ? {} : { name }, versions };
  });
  return { kind: 'APIGroupDiscoveryList', apiVersion: `apidiscovery.k8s.io/${version}`, metadata: {}, items };
}

function describeResource(kind: Kind): JsonObject {
  const children = subresourcesOf(kind).map(
    (child): JsonObject => ({
      subresource: child.name,
      responseKind: responseKind(kind, child.kind),
      verbs: child.verbs,
    }),
  );
  return {
    resource: kind.plural,
    responseKind: responseKind(kind, kind.kind),
    scope: kind.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.singular,
    verbs: [...kind.verbs],
    ...names(kind),
    ...(children.length === 0 ? {} : { subresources: children }),
  };
}

/** Of built-in kinds the real server leaves group and version to the place in the list. */
function responseKind(kind: Kind, name: string): JsonObject {
  return kind.isCustom
    ? { group: kind.group, version: kind.version, kind: name }
    : { group: '', version: '', kind: name };
}

interface Subresource {
  readonly name: string;
  readonly kind: string;
  readonly verbs: Json[];
}

function subresourcesOf(kind: Kind): Subresource[] {
  const pod = kind.group === '' && kind.plural === 'pods';
  return [
    ...(pod ? [{ name: 'binding', kind: 'Binding', verbs: ['create'] }] : []),
    ...(pod ? [{ name: 'log', kind: 'Pod', verbs: ['get'] }] : []),
    ...(kind.hasStatus ? [{ name: 'status', kind: kind.kind, verbs: ['get', 'patch', 'update'] }] : []),
  ];
}

function names({ shortNames, categories }: Kind): JsonObject {
  return {
    ...(shortNames.length === 0 ? {} : { shortNames: [...shortNames] }),
    ...(categories.length === 0 ? {} : { categories: [...categories] }),
  };
}

/** What storage.k8s.io's migrator compares: names the form in which objects are kept. */
function storageHash(kind: Kind): string {
  const text = `${kind.storageGroup}/${kind.version}/${kind.kind}`;
  return createHash('sha256').update(text).digest().subarray(0, 8).toString('base64');
}

/** Groups in the order of the real server: its own first. */
function groupNames(kinds: readonly Kind[]): string[] {
  return [...new Set(kinds.map((kind) => kind.group))].filter((name) => name !== '');
}

function versionsOf(kinds: readonly Kind[], name: string): string[] {
  return [...new Set(kinds.filter((kind) => kind.group === name).map((kind) => kind.version))];
}

// Of the documents that describe a whole server, what the embedded one serves too.
import type { Value } from './format.ts';

/** Group → kinds' plurals; also of no group, ''. */
export const SERVED: Readonly<Record<string, readonly string[]>> = {
  '': ['namespaces', 'nodes', 'pods', 'secrets', 'configmaps', 'events'],
  'events.k8s.io': ['events'],
  'coordination.k8s.io': ['leases'],
  apps: ['controllerrevisions'],
  'apiextensions.k8s.io': ['customresourcedefinitions'],
  'trading.flashpod.dev': [
    'tradingstrategies',
    'strategyinstances',
    'tradingaccounts',
    'executioncores',
    'halts',
  ],
};
const VERSION: Readonly<Record<string, string>> = { 'trading.flashpod.dev': 'v1alpha1' };
const SUBRESOURCES = new Set(['status', 'log', 'binding']);

type Fields = { [key: string]: Value };
const fields = (value: Value | undefined): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
const list = (value: Value | undefined): Fields[] => (Array.isArray(value) ? value.map(fields) : []);

/** The answer to `url`, without what the embedded server does not serve. */
export function reduce(url: string, body: Value): Value {
  const path = url.split('?', 1)[0] ?? url;
  const document = fields(body);
  switch (document['kind']) {
    case 'APIGroupDiscoveryList':
      return { ...document, items: list(document['items']).filter(isServedGroup).map(reduceGroup) };
    case 'APIGroupList':
      return { ...document, groups: list(document['groups']).filter(({ name }) => isServed(name)) };
    case 'APIResourceList':
      return {
        ...document,
        resources: list(document['resources']).filter(({ name }) =>
          isServedResource(groupOf(String(document['groupVersion'])), String(name)),
        ),
      };
  }
  if (path === '/openapi/v3') return { paths: reducePaths(fields(document['paths'])) };
  if (path.startsWith('/openapi/v3/apis/trading.flashpod.dev/')) return reduceOpenApi(document);
  // Of the built-in kinds the documents are taken from the real server as they are.
  if (path.startsWith('/openapi/v3/')) return `<openapi of ${path.slice('/openapi/v3/'.length)}>`;
  return body;
}

/** The schemas of our kinds, and of each operation what kubectl looks for. */
function reduceOpenApi(document: Fields): Value {
  const schemas = fields(fields(document['components'])['schemas']);
  const own = Object.entries(schemas).filter(([name]) => name.startsWith('dev.flashpod.'));
  const paths = Object.entries(fields(document['paths'])).flatMap(([path, item]) => {
    if (!path.includes('/v1alpha1/')) return [];
    const operations = Object.entries(fields(item)).filter(([method]) => method !== 'parameters');
    return [
      [
        path,
        Object.fromEntries(operations.map(([method, one]) => [method, reduceOperation(fields(one))])),
      ] as const,
    ];
  });
  return { schemas: Object.fromEntries(own), paths: Object.fromEntries(paths) as Value };
}

function reduceOperation(operation: Fields): Value {
  const action = operation['x-kubernetes-action'] ?? null;
  const described = { action, kind: operation['x-kubernetes-group-version-kind'] ?? null };
  if (action !== 'patch') return described;
  const accepted = Object.keys(fields(fields(operation['requestBody'])['content']));
  return {
    ...described,
    // Whether the server validates fields, and which patches it takes.
    parameters: list(operation['parameters'])
      .map(({ name }) => String(name))
      .sort(),
    body: accepted.filter((type) => !type.includes('cbor')).sort(),
  };
}

function isServed(group: Value | undefined): boolean {
  return SERVED[String(group ?? '')] !== undefined;
}

function groupOf(groupVersion: string): string {
  return groupVersion.includes('/') ? (groupVersion.split('/')[0] ?? '') : '';
}

function isServedResource(group: string, name: string): boolean {
  const [plural = '', subresource] = name.split('/');
  if (SERVED[group]?.includes(plural) !== true) return false;
  return subresource === undefined || SUBRESOURCES.has(subresource);
}

function isServedGroup(group: Fields): boolean {
  return isServed(fields(group['metadata'])['name']);
}

function reduceGroup(group: Fields): Value {
  const name = String(fields(group['metadata'])['name'] ?? '');
  const versions = list(group['versions'])
    .filter(({ version }) => version === (VERSION[name] ?? 'v1'))
    .map((version) => ({
      ...version,
      resources: list(version['resources'])
        .filter(({ resource }) => isServedResource(name, String(resource)))
        .map((resource) => ({
          ...resource,
          ...(resource['subresources'] === undefined
            ? {}
            : {
                subresources: list(resource['subresources']).filter(({ subresource }) =>
                  SUBRESOURCES.has(String(subresource)),
                ),
              }),
        })),
    }));
  return { ...group, versions };
}

function reducePaths(paths: Fields): Value {
  const served = Object.entries(paths).filter(([path]) => {
    const [root, group = '', version] = path.split('/');
    if (root === 'api') return group === 'v1';
    return root === 'apis' && isServed(group) && version === (VERSION[group] ?? 'v1');
  });
  return Object.fromEntries(served);
}

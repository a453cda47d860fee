import type { Api } from './api.js';
import { badRequest, noSuchResource, PageNotFound } from './api-error.js';
import { coreVersions, group, groupList, resourceList, version } from './discovery.js';
import type { JsonObject } from './json.js';
import type { Kind } from './kinds/kind.js';

/** What a path names. */

export function decodeSegment(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw badRequest(`the path segment "${part}" is not percent-encoded text`);
  }
}

export function discover(api: Api, parts: readonly string[], address: string): JsonObject | undefined {
  const kinds = api.registry.all();
  const [root, groupName = '', versionName = ''] = parts;
  if (root === 'version' && parts.length === 1) return version();
  if (root === 'api' && parts.length === 1) return coreVersions(address);
  if (root === 'api' && parts.length === 2) return resourcesOf(kinds, '', groupName);
  if (root === 'apis' && parts.length === 1) return groupList(kinds);
  if (root === 'apis' && parts.length === 2) {
    if (!kinds.some((kind) => kind.group === groupName)) throw new PageNotFound();
    return group(kinds, groupName);
  }
  if (root === 'apis' && parts.length === 3) return resourcesOf(kinds, groupName, versionName);
  return undefined;
}

function resourcesOf(kinds: readonly Kind[], groupName: string, versionName: string): JsonObject {
  const own = kinds.filter((kind) => kind.group === groupName && kind.version === versionName);
  if (own.length === 0) throw new PageNotFound();
  return resourceList(own, groupName === '' ? versionName : `${groupName}/${versionName}`);
}

export interface Location {
  readonly kind: Kind;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

/** /api/v1/… or /apis/GROUP/VERSION/…, then [namespaces/NS/]PLURAL[/NAME[/SUBRESOURCE]]. */
export function locate(api: Api, parts: readonly string[]): Location {
  const [root] = parts;
  const start = root === 'api' ? 2 : root === 'apis' ? 3 : 0;
  if (start === 0 || parts.length <= start) throw new PageNotFound();
  const groupName = root === 'api' ? '' : (parts[1] ?? '');
  const versionName = parts[start - 1] ?? '';
  const rest = parts.slice(start);
  const [first = '', second, third, fourth, fifth, ...more] = rest;
  if (more.length > 0) throw noSuchResource();
  const scoped = first === 'namespaces' && third !== undefined && third !== 'status' && third !== 'finalize';
  if (!scoped) {
    const kind = api.registry.find(groupName, versionName, first);
    if (kind.namespaced && second !== undefined) throw noSuchResource();
    return { kind, namespace: undefined, name: second, subresource: third };
  }
  const kind = api.registry.find(groupName, versionName, third);
  if (!kind.namespaced) throw noSuchResource();
  return { kind, namespace: second, name: fourth, subresource: fifth };
}

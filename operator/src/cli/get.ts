import type { Kind } from '@flashpod/crds';
import { stringify } from 'yaml';
import type { KubeClient, KubeObject, Stored } from '../kube/index.js';
import { alignColumns, cell, columnsOf } from './columns.js';
import { resourceOf } from './kinds.js';

export const outputs = ['table', 'json', 'yaml', 'name'] as const;
export type Output = (typeof outputs)[number];

/** Reads one object, or all of a kind. */
export async function readObjects(
  client: KubeClient,
  kind: Kind,
  namespace: string | undefined,
  name: string | undefined,
): Promise<Stored<KubeObject>[]> {
  const api = client.of<KubeObject>(resourceOf(kind));
  if (name !== undefined) return [await api.get({ namespace: namespace ?? 'default', name })];
  const { items } = await api.list(namespace === undefined ? {} : { namespace });
  return items;
}

/** The objects as text; a named object is printed alone, several as a List. */
export function renderObjects(
  kind: Kind,
  objects: readonly Stored<KubeObject>[],
  output: Output,
  alone: boolean,
  now: number,
): string {
  if (output === 'name')
    return objects.map(({ metadata }) => `${resourceOf(kind).plural}/${metadata.name}`).join('\n');
  if (output === 'table') {
    const columns = columnsOf(kind);
    const rows = objects.map((object) => [
      object.metadata.name,
      ...columns.map((column) => cell(column, object, now)),
    ]);
    return alignColumns([['NAME', ...columns.map(({ name }) => name.toUpperCase())], ...rows]).join('\n');
  }
  const value = alone ? objects[0] : { apiVersion: 'v1', kind: 'List', items: objects };
  return output === 'json' ? JSON.stringify(value, null, 2) : stringify(value).trimEnd();
}

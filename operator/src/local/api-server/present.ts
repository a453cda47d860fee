import { apiVersionOf } from './decode.js';
import type { Json, JsonObject } from './json.js';
import type { ApiObject, Kind } from './kinds/kind.js';
import type { View } from './media.js';
import type { Page } from './pages.js';
import type { Column } from './table/column.js';

/** Which part of each object a table carries along. */
export type Included = 'None' | 'Metadata' | 'Object';

const partial = ({ metadata }: ApiObject, apiVersion: string): JsonObject => ({
  kind: 'PartialObjectMetadata',
  apiVersion,
  metadata,
});

/** One object in the form that was asked for. */
export function presentObject(kind: Kind, view: View, included: Included, object: ApiObject): JsonObject {
  const apiVersion = `meta.k8s.io/${view.version}`;
  if (view.as === 'PartialObjectMetadata') return partial(object, apiVersion);
  if (view.as !== 'Table') return object;
  const metadata = { resourceVersion: object.metadata['resourceVersion'] ?? '' };
  return table(kind, apiVersion, included, metadata, [object], true);
}

/** An event of a watch; only the first table of a stream describes its columns. */
export function presentEvent(
  kind: Kind,
  view: View,
  included: Included,
  object: ApiObject,
  first: boolean,
): JsonObject {
  if (view.as !== 'Table') {
    const one: View = view.as === 'object' ? view : { ...view, as: 'PartialObjectMetadata' };
    return presentObject(kind, one, included, object);
  }
  const metadata = { resourceVersion: object.metadata['resourceVersion'] ?? '' };
  return table(kind, `meta.k8s.io/${view.version}`, included, metadata, [object], first);
}

export function presentList(kind: Kind, view: View, included: Included, page: Page): JsonObject {
  // Lists of custom resources always say how they go on, also when they don't.
  const more =
    page.continue === undefined
      ? kind.isCustom && view.as === 'object'
        ? { continue: '' }
        : {}
      : { continue: page.continue };
  const remaining = page.remaining === undefined ? {} : { remainingItemCount: page.remaining };
  const metadata: JsonObject = { resourceVersion: page.version, ...more, ...remaining };
  const apiVersion = `meta.k8s.io/${view.version}`;
  switch (view.as) {
    case 'Table':
      return table(kind, apiVersion, included, metadata, page.items, true);
    case 'PartialObjectMetadataList':
      return {
        kind: 'PartialObjectMetadataList',
        apiVersion,
        metadata,
        items: page.items.map((object) => partial(object, apiVersion)),
      };
    default:
      return {
        kind: kind.listKind,
        apiVersion: apiVersionOf(kind),
        metadata,
        items: page.items.map(listed(kind)),
      };
  }
}

/** Items of a list of a built-in kind are of that kind, and do not say so again. */
function listed(kind: Kind): (object: ApiObject) => JsonObject {
  if (kind.isCustom) return (object) => object;
  return ({ apiVersion: _version, kind: _kind, ...rest }) => rest;
}

function table(
  kind: Kind,
  apiVersion: string,
  included: Included,
  metadata: JsonObject,
  objects: readonly ApiObject[],
  described: boolean,
): JsonObject {
  const now = Date.now();
  const columns = kind.columns;
  const rows = objects.map((object): JsonObject => {
    const source = kind.tableOf?.(object) ?? object;
    const carried: Json =
      included === 'None' ? null : included === 'Object' ? object : partial(object, apiVersion);
    return { cells: columns.map((column) => column.cell(source, now)), object: carried };
  });
  const columnDefinitions = described ? columns.map(definition) : null;
  return { kind: 'Table', apiVersion, metadata, columnDefinitions, rows };
}

function definition({ name, type, format, description, priority }: Column): JsonObject {
  return { name, type, format, description, priority };
}

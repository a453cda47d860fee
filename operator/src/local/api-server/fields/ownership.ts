import { isObject, type Json, type JsonObject } from '../json.js';
import type { ApiObject } from '../kinds/kind.js';
import { compare } from './compare.js';
import { FieldSet, NOTHING } from './field-set.js';
import type { FieldType } from './field-type.js';
import { identityOf, isReset, type Manager, type Managers, readManagers, writeManagers } from './managed.js';
import { merge, removeFields } from './merge.js';
import { ownedBy, withNamedParents } from './owned.js';
import { fieldStep, type Step } from './path.js';

/** Who writes, what, and how. */
export interface Author {
  readonly type: FieldType;
  readonly apiVersion: string;
  readonly manager: string;
  readonly subresource: string;
  /** What such a write cannot change, and so cannot own: status by an update of the object, and the reverse. */
  readonly reset: FieldSet;
  readonly now: string;
}

export interface FieldConflict {
  readonly manager: Manager;
  readonly path: readonly Step[];
}

/** Others manage fields that an apply would change. */
export class FieldConflicts extends Error {
  readonly conflicts: readonly FieldConflict[];

  constructor(conflicts: readonly FieldConflict[]) {
    super(`${conflicts.length} fields are managed by others`);
    this.name = 'FieldConflicts';
    this.conflicts = conflicts;
  }
}

const path = (...names: string[]): Step[] => names.map(fieldStep);
const metadata = (...names: string[]) => names.map((name) => path('metadata', name));
/** Fields that nobody manages: what identifies an object, and what only the server writes. */
const STRIPPED = FieldSet.of(
  path('apiVersion'),
  path('kind'),
  path('metadata'),
  ...metadata('name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'clusterName', 'generation'),
  ...metadata('managedFields', 'resourceVersion'),
);
/** More writers than so many are summed up as one. */
const MAX_UPDATERS = 10;
const BEFORE_FIRST_APPLY = 'before-first-apply';
const ANCIENT = 'ancient-changes';

/** `next` with managedFields that say who wrote it; `live` is undefined, or the empty object of a kind, at creation. */
export function afterUpdate(
  live: ApiObject | undefined,
  empty: JsonObject,
  next: ApiObject,
  author: Author,
): ApiObject {
  const given = author.subresource === '' ? next.metadata['managedFields'] : undefined;
  const before = withoutManagers(live ?? empty);
  if (isReset(given)) return withManagers(next, new Map());
  const asked = readManagers(given);
  const managers = asked === undefined || asked.size === 0 ? readManagers(managersOf(live)) : asked;
  // An object whose managers were taken away is not tracked until somebody applies.
  if (live !== undefined && (managers === undefined || managers.size === 0))
    return withManagers(next, new Map());
  const updated = update(before, withoutManagers(next), managers ?? new Map(), author);
  return withManagers(next, cap(updated, author));
}

/** Lays the configuration over `live`. Undefined: nothing changes. Throws FieldConflicts. */
export function applied(
  live: ApiObject | undefined,
  empty: JsonObject,
  configuration: ApiObject,
  author: Author,
  force: boolean,
): { object: JsonObject; managers: Managers; changed: boolean } {
  const base = withoutManagers(live ?? empty);
  let managers = readManagers(managersOf(live)) ?? new Map<string, Manager>();
  if (live !== undefined && managers.size === 0)
    managers = new Map(
      update(empty, base, managers, { ...author, manager: BEFORE_FIRST_APPLY, subresource: '' }),
    );
  const self: Omit<Manager, 'set'> = {
    name: author.manager,
    operation: 'Apply',
    apiVersion: author.apiVersion,
    subresource: author.subresource,
    time: author.now,
  };
  const identity = identityOf(self);
  const last = managers.get(identity);
  const set = ownedBy(author.type, configuration).without(author.reset);
  const all = new Map(managers).set(identity, { ...self, set });
  const merged = (merge(author.type, base, configuration) ?? {}) as JsonObject;
  const pruned = last === undefined || last.set.isEmpty ? merged : prune(author.type, merged, all, last.set);
  const { others, conflicts } = takeFrom(base, pruned, all, identity, author);
  if (!force && conflicts.length > 0) throw new FieldConflicts(conflicts);
  const own = set.difference(STRIPPED);
  const changed = !sameValue(base, pruned);
  const time = changed ? author.now : last?.time;
  if (!own.isEmpty) others.set(identity, { ...self, set: own, time });
  return { object: pruned, managers: others, changed };
}

export function withManagers(object: ApiObject, managers: Managers): ApiObject {
  const { managedFields: _, ...rest } = object.metadata;
  const entries = writeManagers(managers);
  const metadata = entries.length === 0 ? rest : { ...rest, managedFields: entries };
  return { ...object, metadata: metadata as ApiObject['metadata'] };
}

function managersOf(object: ApiObject | undefined): Json | undefined {
  return object?.metadata['managedFields'];
}

function withoutManagers(object: JsonObject): JsonObject {
  const { metadata: meta } = object;
  if (!isObject(meta)) return object;
  const { managedFields: _, ...rest } = meta;
  return { ...object, metadata: rest };
}

/** What an update took from the others, and what it has since. */
function update(
  before: JsonObject,
  after: JsonObject,
  managers: Managers,
  author: Author,
): Map<string, Manager> {
  const difference = compare(author.type, before, after);
  const { others } = takeFrom(before, after, managers, undefined, author);
  const taken = difference.modified.union(difference.added).without(author.reset).difference(STRIPPED);
  if (taken.isEmpty) return others;
  const self: Omit<Manager, 'set'> = {
    name: author.manager,
    operation: 'Update',
    apiVersion: author.apiVersion,
    subresource: author.subresource,
    time: author.now,
  };
  const identity = identityOf(self);
  const set = others.get(identity)?.set.union(taken) ?? taken;
  return others.set(identity, { ...self, set });
}

/** Takes what differs out of the other managers' sets. */
function takeFrom(
  before: JsonObject,
  after: JsonObject,
  managers: Managers,
  self: string | undefined,
  author: Author,
): { others: Map<string, Manager>; conflicts: FieldConflict[] } {
  const { modified, added, removed } = compare(author.type, before, after);
  const changed = modified.union(added).without(author.reset);
  const gone = removed.without(author.reset);
  const others = new Map<string, Manager>();
  const conflicts: FieldConflict[] = [];
  for (const [identity, manager] of managers) {
    if (identity === self) continue;
    const lost = manager.set.intersection(changed);
    for (const path of lost.paths()) conflicts.push({ manager, path });
    const set = manager.set.difference(lost).difference(gone);
    if (!set.isEmpty) others.set(identity, { ...manager, set });
  }
  return { others, conflicts };
}

/** Takes out what the applier owned before, does not name any more, and nobody else owns. */
function prune(type: FieldType, merged: JsonObject, managers: Managers, last: FieldSet): JsonObject {
  const lastNamed = withNamedParents(type, last);
  const without = removeFields(type, merged, lastNamed) ?? {};
  const mergedSet = ownedBy(type, merged);
  const owned = [...managers.values()].reduce((all, { set }) => all.union(set), NOTHING);
  const kept = withNamedParents(type, ownedBy(type, without)).union(withNamedParents(type, owned));
  const back = removeFields(type, merged, withNamedParents(type, mergedSet).difference(kept)) ?? {};
  const gone = withNamedParents(type, mergedSet).difference(withNamedParents(type, ownedBy(type, back)));
  return (removeFields(type, merged, gone.intersection(lastNamed)) ?? {}) as JsonObject;
}

/** The oldest of too many updaters become one. */
function cap(managers: Map<string, Manager>, author: Author): Managers {
  const updaters = [...managers]
    .filter(([, { operation }]) => operation === 'Update')
    .sort(([, a], [, b]) => ((a.time ?? '') + a.name < (b.time ?? '') + b.name ? -1 : 1));
  const surplus = updaters.slice(0, Math.max(0, updaters.length - MAX_UPDATERS + 1));
  if (updaters.length <= MAX_UPDATERS) return managers;
  const ancient: Omit<Manager, 'set'> = {
    name: ANCIENT,
    operation: 'Update',
    apiVersion: author.apiVersion,
    subresource: '',
    time: surplus.at(-1)?.[1].time,
  };
  const set = surplus.reduce((all, [, manager]) => all.union(manager.set), NOTHING);
  for (const [identity] of surplus) managers.delete(identity);
  return managers.set(identityOf(ancient), { ...ancient, set });
}

/** Equal but for empty maps, lists and nulls that a removal leaves. */
function sameValue(a: Json, b: Json): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key] ?? null)]),
  );
}

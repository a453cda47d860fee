import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isObject, type Json, type JsonObject } from '../json.js';
import type { ApiObject } from '../kinds/kind.js';
import { compare } from './compare.js';
import { FieldSet } from './field-set.js';
import { fieldTypeOf, UNTYPED } from './field-type.js';
import { merge } from './merge.js';
import { ownedBy } from './owned.js';
import { type Author, afterUpdate, applied, FieldConflicts, withManagers } from './ownership.js';

// Expected values follow the tests of sigs.k8s.io/structured-merge-diff (merge/*_test.go, typed/merge_test.go).

const text = { type: 'string' };
const type = fieldTypeOf(
  {
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        properties: {
          mode: text,
          tags: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
          whole: { type: 'array', items: text },
          parts: {
            type: 'array',
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['name'],
            items: { type: 'object', properties: { name: text, size: { type: 'integer' } } },
          },
          labels: { type: 'object', additionalProperties: text },
        },
      },
    },
  },
  () => UNTYPED,
);

const author = (manager: string): Author => ({
  type,
  apiVersion: 'v1',
  manager,
  subresource: '',
  reset: FieldSet.of(),
  now: '2026-01-01T00:00:00Z',
});
const object = (spec: JsonObject) => ({ metadata: { name: 'x' }, spec }) as unknown as ApiObject;
const specOf = (of: JsonObject) => of['spec'];

/** What is stored after `manager` applied `spec`. */
function apply(live: ApiObject | undefined, manager: string, spec: JsonObject, force = false): ApiObject {
  const result = applied(live, {}, object(spec), author(manager), force);
  return withManagers(result.object as ApiObject, result.managers);
}

const managersOf = (of: ApiObject) =>
  Object.fromEntries(
    ((of.metadata['managedFields'] ?? []) as JsonObject[]).map((entry) => [
      entry['manager'],
      entry['fieldsV1'],
    ]),
  );

describe('applying', () => {
  it('takes away what the applier named last time and nobody else owns', () => {
    const first = apply(undefined, 'a', {
      mode: 'x',
      tags: ['1', '2'],
      parts: [{ name: 'p', size: 1 }, { name: 'q' }],
    });
    const shared = apply(first, 'b', { tags: ['2'] });
    const second = apply(shared, 'a', { mode: 'x', parts: [{ name: 'p' }] });
    expect(specOf(second)).toEqual({ mode: 'x', tags: ['2'], parts: [{ name: 'p' }] });
    expect(managersOf(second)).toEqual({
      a: { 'f:spec': { 'f:mode': {}, 'f:parts': { 'k:{"name":"p"}': { '.': {}, 'f:name': {} } } } },
      b: { 'f:spec': { 'f:tags': { 'v:"2"': {} } } },
    });
  });

  it('conflicts with others about values that differ, and about no others', () => {
    const first = apply(undefined, 'a', { mode: 'x', labels: { l: '1' } });
    expect(() => apply(first, 'b', { mode: 'y' })).toThrow(FieldConflicts);
    expect(managersOf(apply(first, 'b', { mode: 'x' }))['b']).toEqual({ 'f:spec': { 'f:mode': {} } });
    const forced = apply(first, 'b', { mode: 'y' }, true);
    expect(specOf(forced)).toEqual({ mode: 'y', labels: { l: '1' } });
    expect(managersOf(forced)).toEqual({
      a: { 'f:spec': { 'f:labels': { 'f:l': {} } } },
      b: { 'f:spec': { 'f:mode': {} } },
    });
  });

  it('takes what is owned as one as one', () => {
    const first = apply(undefined, 'a', { whole: ['1', '2'] });
    expect(managersOf(first)['a']).toEqual({ 'f:spec': { 'f:whole': {} } });
    expect(() => apply(first, 'b', { whole: ['1', '2', '3'] })).toThrow(FieldConflicts);
  });

  it('over an update takes over with the values that it left', () => {
    const updated = afterUpdate(undefined, {}, object({ mode: 'x', tags: ['1'] }), author('editor'));
    expect(managersOf(updated)).toEqual({
      editor: { 'f:spec': { '.': {}, 'f:mode': {}, 'f:tags': { '.': {}, 'v:"1"': {} } } },
    });
    const later = afterUpdate(updated, {}, { ...updated, spec: { mode: 'y', tags: ['1'] } }, author('other'));
    expect(managersOf(later)).toEqual({
      editor: { 'f:spec': { '.': {}, 'f:tags': { '.': {}, 'v:"1"': {} } } },
      other: { 'f:spec': { 'f:mode': {} } },
    });
  });

  it('sums up the oldest of more than ten updaters', () => {
    let stored = afterUpdate(undefined, {}, object({ labels: { a0: '' } }), author('m0'));
    for (let count = 1; count <= 12; count += 1) {
      const labels = { ...((specOf(stored) as JsonObject)['labels'] as JsonObject), [`a${count}`]: '' };
      stored = afterUpdate(stored, {}, { ...stored, spec: { labels } }, author(`m${count}`));
    }
    const names = Object.keys(managersOf(stored));
    expect(names).toHaveLength(10);
    expect(names).toContain('ancient-changes');
  });
});

// Lists that both sides have in part: typed/merge_test.go, "associative and atomic lists".
it.each([
  [
    ['a', 'b'],
    ['b', 'c'],
    ['a', 'b', 'c'],
  ],
  [
    ['a', 'b', 'c'],
    ['c', 'a'],
    ['b', 'c', 'a'],
  ],
  [
    ['1', '2', '3'],
    ['3', '4', '1'],
    ['2', '3', '4', '1'],
  ],
  [[], ['x'], ['x']],
])('%j with %j laid over it is a list of both, in the order of the latter', (live, over, merged) => {
  expect(merge(type, object({ tags: live }), object({ tags: over }))).toEqual(object({ tags: merged }));
});

// Nothing empty: whether an empty part is owned depends on how it became so, there as here.
const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 4 });
const specs = fc.record(
  {
    mode: fc.constantFrom('x', 'y'),
    tags: names,
    whole: names,
    labels: fc.dictionary(fc.constantFrom('l', 'm'), fc.constantFrom('1', '2'), { minKeys: 1 }),
    parts: names.chain((list) =>
      fc.tuple(...list.map((name) => fc.nat({ max: 3 }).map((size) => ({ name, size })))),
    ),
  },
  { requiredKeys: ['mode'] },
) as fc.Arbitrary<JsonObject>;

describe('whatever is applied', () => {
  it('is there afterwards, and applying it again changes nothing', () => {
    fc.assert(
      fc.property(specs, specs, specs, (live, before, now) => {
        const stored = afterUpdate(undefined, {}, object(live), author('editor'));
        const first = apply(apply(stored, 'a', before, true), 'a', now, true);
        const again = applied(first, {}, object(now), author('a'), false);
        expect(again.changed).toBe(false);
        expect(withManagers(again.object as ApiObject, again.managers)).toEqual(first);
        const difference = compare(type, object(now), first);
        expect(
          ownedBy(type, object(now)).intersection(difference.modified.union(difference.removed)).isEmpty,
        ).toBe(true);
      }),
    );
  });

  it('is owned by somebody, and every owner owns something that is there', () => {
    fc.assert(
      fc.property(specs, specs, (a, b) => {
        const stored = apply(apply(undefined, 'a', a, true), 'b', b, true);
        const there = new Set([...ownedBy(type, stored as Json).paths()].map(String));
        for (const fields of Object.values(managersOf(stored)))
          for (const path of FieldSet.fromJson(fields as Json).paths()) expect(there).toContain(String(path));
      }),
    );
  });

  it('has a set of fields that survives being written and read', () => {
    fc.assert(
      fc.property(specs, (spec) => {
        const set = ownedBy(type, object(spec));
        const read = FieldSet.fromJson(JSON.parse(JSON.stringify(set.toJson())) as Json);
        expect(read.equals(set)).toBe(true);
        expect(isObject(set.toJson())).toBe(true);
      }),
    );
  });
});

import { timestamp } from '../../kube/conditions.js';
import { apiVersionOf, toWire } from './decode.js';
import { FieldSet } from './fields/field-set.js';
import { type Author, afterUpdate } from './fields/ownership.js';
import { fieldStep } from './fields/path.js';
import type { ApiObject, Kind } from './kinds/kind.js';

const fields = (...paths: string[][]): FieldSet => FieldSet.of(...paths.map((path) => path.map(fieldStep)));

const NONE = fields();
const STATUS = fields(['status']);
const ALL_BUT_STATUS = fields(['spec'], ['metadata']);
const ALL_BUT_BUILTIN_STATUS = fields(
  ['spec'],
  ['metadata', 'deletionTimestamp'],
  ['metadata', 'ownerReferences'],
);

export function authorOf(kind: Kind, manager: string, subresource: '' | 'status'): Author {
  const ofStatus =
    kind.isCustom || kind.group === 'apiextensions.k8s.io' ? ALL_BUT_STATUS : ALL_BUT_BUILTIN_STATUS;
  const ofObject = kind.hasStatus ? STATUS : NONE;
  return {
    type: kind.fields(),
    apiVersion: apiVersionOf(kind),
    manager,
    subresource,
    reset: subresource === 'status' ? ofStatus : ofObject,
    now: timestamp(new Date()),
  };
}

/** `next` with managedFields that say who changed what; in the form that the author saw. */
export function tracked(
  kind: Kind,
  live: ApiObject | undefined,
  next: ApiObject,
  manager: string,
  subresource: '' | 'status',
): ApiObject {
  const before = live === undefined ? undefined : toWire(kind, live);
  const { metadata } = afterUpdate(
    before,
    kind.empty,
    toWire(kind, next),
    authorOf(kind, manager, subresource),
  );
  return { ...next, metadata };
}

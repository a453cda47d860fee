import type { FieldError } from '../field-errors.js';
import type { FieldType } from '../fields/field-type.js';
import type { JsonObject } from '../json.js';
import type { Column } from '../table/column.js';

/** A stored object; the server guarantees apiVersion, kind and metadata with name, uid and resourceVersion. */
export interface ApiObject extends JsonObject {
  apiVersion: string;
  kind: string;
  metadata: JsonObject & { name: string };
}

/** A kind in one version, as clients see it. Versions of a kind share a collection. */
export interface Kind {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly listKind: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  /** Made by a definition. */
  readonly isCustom: boolean;
  /** The group of the form in which objects are kept; another one for events only. */
  readonly storageGroup: string;
  /** `group/plural` of the collection that holds the objects. */
  readonly storage: string;
  readonly hasStatus: boolean;
  /** A change of anything but metadata (and status) counts up metadata.generation. */
  readonly hasGeneration: boolean;
  /** A PUT without resourceVersion overwrites. False for custom resources. */
  readonly unconditionalUpdate: boolean;
  /** Names are DNS labels rather than subdomains. */
  readonly nameIsLabel: boolean;
  /** Field selectors beyond metadata.name and metadata.namespace. */
  readonly selectable: ReadonlyMap<string, (object: ApiObject) => string>;
  readonly rules: KindRules;
  /** What `kubectl get` shows. */
  readonly columns: readonly Column[];
  /** The form that the columns read, where it differs. */
  readonly tableOf?: (object: ApiObject) => ApiObject;
  /** openAPIV3Schema, of a definition. */
  readonly schema?: JsonObject;
  /** How fields are owned. */
  readonly fields: () => FieldType;
  /** What an object of this kind is before anybody wrote to it: in Go, parts that are no pointers are there. */
  readonly empty: JsonObject;
  /** Between the wire and the collection, where they differ. */
  readonly fromWire?: (object: ApiObject) => ApiObject;
  readonly toWire?: (object: ApiObject) => ApiObject;
}

/** What is particular to a kind. All take and return whole objects and never change their arguments. */
export interface KindRules {
  /** Defaults in, unknown fields out; paths of the latter are added to `unknown`. */
  admit?(object: ApiObject, unknown: string[]): ApiObject;
  /** What admission puts into a new object, for which its author is not answerable. */
  mutate?(object: ApiObject): ApiObject;
  /** What the server sets on a new object. */
  create?(object: ApiObject): ApiObject;
  /** What an update may not touch is put back. */
  update?(object: ApiObject, old: ApiObject): ApiObject;
  validate?(object: ApiObject, old: ApiObject | undefined): FieldError[];
  /** Checks of a status write; the default is `validate`. */
  validateStatus?(object: ApiObject, old: ApiObject): FieldError[];
  /** Seconds between the wish to delete and the removal; 0 = at once. */
  grace?(object: ApiObject, requested: number | undefined): number;
  /** A reason not to delete. */
  refuseDelete?(object: ApiObject): string | undefined;
  /** What deletion leaves to be done before the object may go, besides its finalizers. */
  onDelete?(object: ApiObject): ApiObject;
  isGone?(object: ApiObject): boolean;
  /** Ends when its content has ended, not by time: deletion has no grace period, and is no new generation. */
  readonly endsByContent?: boolean;
}

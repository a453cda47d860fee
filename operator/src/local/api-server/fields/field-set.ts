import { isObject, type Json, type JsonObject } from '../json.js';
import { compareSteps, type Step } from './path.js';

const EMPTY: JsonObject = Object.freeze({});

/**
 * A set of fields of an object, as a tree: `members` belong to it, `children` have members further down. The same
 * operations with the same meaning as fieldpath.Set of sigs.k8s.io/structured-merge-diff.
 */
export class FieldSet {
  readonly members: ReadonlySet<Step>;
  readonly children: ReadonlyMap<Step, FieldSet>;

  constructor(members: ReadonlySet<Step> = new Set(), children: ReadonlyMap<Step, FieldSet> = new Map()) {
    this.members = members;
    this.children = children;
  }

  static of(...paths: (readonly Step[])[]): FieldSet {
    const builder = new FieldSetBuilder();
    for (const path of paths) builder.insert(path);
    return builder.build();
  }

  get isEmpty(): boolean {
    return this.members.size === 0 && [...this.children.values()].every((child) => child.isEmpty);
  }

  has([first, ...rest]: readonly Step[]): boolean {
    if (first === undefined) return false;
    return rest.length === 0 ? this.members.has(first) : (this.children.get(first)?.has(rest) ?? false);
  }

  /** What is below a step. */
  below(step: Step): FieldSet {
    return this.children.get(step) ?? NOTHING;
  }

  union(other: FieldSet): FieldSet {
    const children = new Map(this.children);
    for (const [step, child] of other.children) children.set(step, this.below(step).union(child));
    return new FieldSet(this.members.union(other.members), children);
  }

  intersection(other: FieldSet): FieldSet {
    return this.#zip(this.members.intersection(other.members), (step, child) =>
      other.children.has(step) ? child.intersection(other.below(step)) : NOTHING,
    );
  }

  /** A parent without a child stays the parent; a child without its parent stays the child. */
  difference(other: FieldSet): FieldSet {
    return this.#zip(this.members.difference(other.members), (step, child) =>
      other.children.has(step) ? child.difference(other.below(step)) : child,
    );
  }

  /** As `difference`, and what is below a field of `other` goes with it. */
  without(other: FieldSet): FieldSet {
    return this.#zip(this.members.difference(other.members), (step, child) => {
      if (other.members.has(step)) return NOTHING;
      return other.children.has(step) ? child.without(other.below(step)) : child;
    });
  }

  equals(other: FieldSet): boolean {
    return this.difference(other).isEmpty && other.difference(this).isEmpty;
  }

  /** All paths, members of a level before those below it. */
  *paths(prefix: readonly Step[] = []): Generator<Step[]> {
    for (const step of [...this.members].sort(compareSteps)) yield [...prefix, step];
    for (const [step, child] of this.#sortedChildren()) yield* child.paths([...prefix, step]);
  }

  /** FieldsV1. */
  toJson(): JsonObject {
    const steps = [...new Set([...this.members, ...this.children.keys()])].sort(compareSteps);
    const entries = steps.flatMap((step): [string, Json][] => {
      const child = this.children.get(step);
      if (child === undefined || child.isEmpty) return this.members.has(step) ? [[step, EMPTY]] : [];
      return [[step, this.members.has(step) ? { '.': EMPTY, ...child.toJson() } : child.toJson()]];
    });
    return Object.fromEntries(entries);
  }

  static fromJson(fields: Json): FieldSet {
    const members = new Set<Step>();
    const children = new Map<Step, FieldSet>();
    for (const [step, inner] of isObject(fields) ? Object.entries(fields) : []) {
      if (step === '.' || !isObject(inner)) continue;
      const names = Object.keys(inner);
      if (names.length === 0 || Object.hasOwn(inner, '.')) members.add(step);
      if (names.some((name) => name !== '.')) children.set(step, FieldSet.fromJson(inner));
    }
    return new FieldSet(members, children);
  }

  #zip(members: ReadonlySet<Step>, inner: (step: Step, child: FieldSet) => FieldSet): FieldSet {
    const children = new Map<Step, FieldSet>();
    for (const [step, child] of this.children) {
      const left = inner(step, child);
      if (!left.isEmpty) children.set(step, left);
    }
    return new FieldSet(members, children);
  }

  #sortedChildren(): [Step, FieldSet][] {
    return [...this.children].sort(([a], [b]) => compareSteps(a, b));
  }
}

export const NOTHING = new FieldSet();

/** Collects paths. */
export class FieldSetBuilder {
  readonly #members = new Set<Step>();
  readonly #children = new Map<Step, FieldSetBuilder>();

  /** The path of the whole object is no field. */
  insert(path: readonly Step[]): void {
    let here: FieldSetBuilder = this;
    for (const [index, step] of path.entries()) {
      if (index === path.length - 1) here.#members.add(step);
      else here = here.#child(step);
    }
  }

  build(): FieldSet {
    return new FieldSet(
      this.#members,
      new Map([...this.#children].map(([step, child]) => [step, child.build()])),
    );
  }

  #child(step: Step): FieldSetBuilder {
    const known = this.#children.get(step);
    if (known !== undefined) return known;
    const made = new FieldSetBuilder();
    this.#children.set(step, made);
    return made;
  }
}

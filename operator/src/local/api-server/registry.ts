import { noSuchResource, PageNotFound } from './api-error.js';
import { builtinKinds } from './kinds/builtin.js';
import { crdKind, kindsOf } from './kinds/crd.js';
import type { ApiObject, Kind } from './kinds/kind.js';

/** Groups of built-in kinds as the real server lists them. */
const GROUPS = ['', 'apps', 'events.k8s.io', 'apiextensions.k8s.io', 'coordination.k8s.io'];

/** All kinds that are served now: the built-in ones and those of the definitions. */
export class Registry {
  readonly #builtin: readonly Kind[] = [...builtinKinds(), crdKind].sort(
    (a, b) => GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group),
  );
  readonly #custom = new Map<string, Kind[]>();

  all(): Kind[] {
    return [...this.#builtin, ...[...this.#custom.values()].flat()];
  }

  /** A kind in a version, by its place in the path. */
  find(group: string, version: string, plural: string): Kind {
    const kind = this.all().find(
      (candidate) =>
        candidate.group === group && candidate.version === version && candidate.plural === plural,
    );
    if (kind !== undefined) return kind;
    const known = this.#builtin.some(
      (candidate) => candidate.group === group && candidate.version === version,
    );
    throw known ? noSuchResource() : new PageNotFound();
  }

  /** Any version of the kind that a collection belongs to. */
  ofStorage(storage: string): Kind | undefined {
    return this.all().find((kind) => kind.storage === storage && kind.toWire === undefined);
  }

  define(crd: ApiObject): void {
    this.#custom.set(crd.metadata.name, kindsOf(crd));
  }

  undefine(crd: ApiObject): void {
    this.#custom.delete(crd.metadata.name);
  }
}

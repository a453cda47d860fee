import { createHash } from 'node:crypto';
import { apiVersionOf } from '../decode.js';
import type { JsonObject } from '../json.js';
import type { Kind } from '../kinds/kind.js';
import { builtinDocuments } from './builtin.js';
import { customDocument } from './custom.js';
import { encodeV2 } from './v2.js';

export interface Published {
  readonly text: Buffer;
  readonly etag: string;
}

/** The OpenAPI documents of what is served now; made when asked for, kept until a definition changes. */
export class OpenApi {
  readonly #kinds: () => readonly Kind[];
  #madeFor: readonly Kind[] = [];
  readonly #documents = new Map<string, Published>();
  #v2: Published | undefined;

  constructor(kinds: () => readonly Kind[]) {
    this.#kinds = kinds;
  }

  /** /openapi/v3: where each document is, with a hash of it so that clients may keep it for ever. */
  index(): JsonObject {
    this.#refresh();
    const names = [...new Set(this.#madeFor.map(nameOf))].sort();
    const paths = names.flatMap((name) => {
      const document = this.document(name);
      if (document === undefined) return [];
      return [[name, { serverRelativeURL: `/openapi/v3/${name}?hash=${document.etag}` }] as const];
    });
    return { paths: Object.fromEntries(paths) };
  }

  /** /openapi/v3/NAME */
  document(name: string): Published | undefined {
    this.#refresh();
    const known = this.#documents.get(name);
    if (known !== undefined) return known;
    const own = this.#madeFor.filter((kind) => nameOf(kind) === name);
    if (own.length === 0) return undefined;
    const document = builtinDocuments().get(name) ?? customDocument(own);
    const made = publish(Buffer.from(JSON.stringify(document)));
    this.#documents.set(name, made);
    return made;
  }

  /** /openapi/v2, in protobuf. */
  v2(): Published {
    this.#refresh();
    this.#v2 ??= publish(encodeV2(this.#madeFor));
    return this.#v2;
  }

  #refresh(): void {
    const kinds = this.#kinds();
    const same =
      kinds.length === this.#madeFor.length && kinds.every((kind, index) => kind === this.#madeFor[index]);
    if (same) return;
    this.#madeFor = kinds;
    this.#documents.clear();
    this.#v2 = undefined;
  }
}

function nameOf(kind: Kind): string {
  return kind.group === '' ? `api/${kind.version}` : `apis/${apiVersionOf(kind)}`;
}

function publish(text: Buffer): Published {
  return { text, etag: createHash('sha512').update(text).digest('hex').toUpperCase() };
}

import { loadConnection } from './connection.js';
import { isNotFound, KubeStatusError, KubeTransportError } from './errors.js';
import { KubeHttp, type KubeHttpOptions, type Query } from './http.js';
import { apiVersionOf, collectionPath, objectPath, type Resource } from './resources.js';
import type { KubeList, KubeObject, KubeStatus, ObjectKey, Stored, WatchEvent } from './types.js';

export interface Selectors {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

export interface WriteOptions extends CallOptions {
  /** What the server does with fields that the kind does not have; without it they are dropped with a warning. */
  readonly fieldValidation?: 'Ignore' | 'Warn' | 'Strict';
}

export interface ListOptions extends Selectors, CallOptions {
  /** All namespaces when absent. */
  readonly namespace?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
}

export interface WatchOptions extends Selectors {
  readonly namespace?: string;
  readonly resourceVersion: string;
  readonly timeoutSeconds?: number;
  readonly signal?: AbortSignal;
}

export interface DeleteOptions extends CallOptions {
  /** Only if it is still this very object, in this very state. */
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
  readonly graceSeconds?: number;
}

export interface ApplyOptions extends CallOptions {
  readonly fieldManager: string;
  readonly force?: boolean;
}

/** RFC 7386: absent stays, null removes, lists are replaced whole. */
export type MergePatch<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]?: MergePatch<T[K]> | null }
    : T;

/** The entry to one API server. */
export class KubeClient {
  readonly http: KubeHttp;

  constructor(http: KubeHttp) {
    this.http = http;
  }

  static load(options: KubeHttpOptions & { kubeconfig?: string } = {}): KubeClient {
    return new KubeClient(new KubeHttp(loadConnection(options.kubeconfig), options));
  }

  /** Namespace of the kubeconfig's current context. */
  get namespace(): string {
    return this.http.connection.namespace;
  }

  of<T extends KubeObject>(resource: Resource<T>): ResourceClient<T> {
    return new ResourceClient(this.http, resource);
  }

  async close(): Promise<void> {
    await this.http.close();
  }
}

/** The verbs on one kind. Every method throws KubeStatusError or KubeTransportError. */
export class ResourceClient<T extends KubeObject> {
  readonly resource: Resource<T>;
  readonly #http: KubeHttp;

  constructor(http: KubeHttp, resource: Resource<T>) {
    this.#http = http;
    this.resource = resource;
  }

  async get(key: ObjectKey, options: CallOptions = {}): Promise<Stored<T>> {
    return this.#stored(
      await this.#http.json({ method: 'GET', path: objectPath(this.resource, key), ...options }),
    );
  }

  /** Like `get`, with undefined for "there is none". */
  async find(key: ObjectKey, options: CallOptions = {}): Promise<Stored<T> | undefined> {
    try {
      return await this.get(key, options);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async list(options: ListOptions = {}): Promise<KubeList<T>> {
    const { namespace, signal, timeoutMs, ...query } = options;
    const body = (await this.#http.json({
      method: 'GET',
      path: collectionPath(this.resource, namespace),
      query: query satisfies Query,
      ...callOptions({ signal, timeoutMs }),
    })) as { metadata?: { resourceVersion?: string; continue?: string }; items?: T[] };
    if (!Array.isArray(body.items)) throw malformed(`the list of ${this.resource.plural} has no items`);
    // Items of a list come without apiVersion and kind; give them back, so that an object is whole wherever it goes.
    const type = { apiVersion: apiVersionOf(this.resource), kind: this.resource.kind };
    const items = body.items.map((item) => ({ ...type, ...item }) as Stored<T>);
    const resourceVersion = body.metadata?.resourceVersion ?? '';
    const more = body.metadata?.continue;
    return more === undefined || more === ''
      ? { resourceVersion, items }
      : { resourceVersion, continue: more, items };
  }

  async create(object: T, options: WriteOptions = {}): Promise<Stored<T>> {
    const path = collectionPath(this.resource, object.metadata?.namespace);
    return this.#stored(
      await this.#http.json({ method: 'POST', path, body: this.#typed(object), ...write(options) }),
    );
  }

  /** Whole-object write. With `metadata.resourceVersion` it is refused (Conflict) if somebody wrote in between. */
  async replace(object: T, options: WriteOptions = {}): Promise<Stored<T>> {
    return this.#put(object, undefined, options);
  }

  async replaceStatus(object: T, options: CallOptions = {}): Promise<Stored<T>> {
    return this.#put(object, 'status', options);
  }

  async mergePatch(key: ObjectKey, patch: MergePatch<T>, options: CallOptions = {}): Promise<Stored<T>> {
    return this.#patch(key, undefined, patch, 'application/merge-patch+json', {}, options);
  }

  async mergePatchStatus(
    key: ObjectKey,
    patch: MergePatch<T>,
    options: CallOptions = {},
  ): Promise<Stored<T>> {
    return this.#patch(key, 'status', patch, 'application/merge-patch+json', {}, options);
  }

  /** Server-side apply: what is left out of the next one is taken away. */
  async apply(object: T, options: ApplyOptions): Promise<Stored<T>> {
    return this.#apply(object, undefined, options);
  }

  async applyStatus(object: T, options: ApplyOptions): Promise<Stored<T>> {
    return this.#apply(object, 'status', options);
  }

  /** Resolves once the deletion is accepted; finalizers and grace periods may hold the object for longer. */
  async delete(key: ObjectKey, options: DeleteOptions = {}): Promise<void> {
    const { uid, resourceVersion, propagation, graceSeconds, ...call } = options;
    const preconditions = {
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    };
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: propagation ?? 'Background',
      ...(Object.keys(preconditions).length === 0 ? {} : { preconditions }),
      ...(graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds }),
    };
    await this.#http.json({ method: 'DELETE', path: objectPath(this.resource, key), body, ...call });
  }

  /** Like `delete`; that there is nothing to delete is fine too. False then. */
  async deleteIfExists(key: ObjectKey, options: DeleteOptions = {}): Promise<boolean> {
    try {
      await this.delete(key, options);
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  /** Events after `resourceVersion`, until the server ends the stream. An ERROR event is thrown as KubeStatusError. */
  async *watch(options: WatchOptions): AsyncGenerator<WatchEvent<T>> {
    const { namespace, signal, ...query } = options;
    const frames = this.#http.stream({
      method: 'GET',
      path: collectionPath(this.resource, namespace),
      query: { ...query, watch: 'true', allowWatchBookmarks: 'true' },
      ...callOptions({ signal }),
    });
    for await (const frame of frames) yield this.#event(frame);
  }

  #event(frame: unknown): WatchEvent<T> {
    const { type, object } = frame as { type?: string; object?: T & KubeStatus };
    switch (type) {
      case 'ADDED':
      case 'MODIFIED':
      case 'DELETED':
        return { type, object: this.#stored(object) };
      case 'BOOKMARK':
        return { type, resourceVersion: object?.metadata?.resourceVersion ?? '' };
      case 'ERROR':
        throw new KubeStatusError(object ?? {}, object?.code ?? 500);
      default:
        throw malformed(`the watch of ${this.resource.plural} sent an event of type "${type}"`);
    }
  }

  async #put(object: T, subresource: string | undefined, options: WriteOptions): Promise<Stored<T>> {
    const path = objectPath(this.resource, keyIn(object), subresource);
    return this.#stored(
      await this.#http.json({ method: 'PUT', path, body: this.#typed(object), ...write(options) }),
    );
  }

  async #apply(object: T, subresource: string | undefined, options: ApplyOptions): Promise<Stored<T>> {
    const { fieldManager, force, ...call } = options;
    const query = { fieldManager, force: force ?? true };
    return this.#patch(
      keyIn(object),
      subresource,
      this.#typed(object),
      'application/apply-patch+yaml',
      query,
      call,
    );
  }

  async #patch(
    key: ObjectKey,
    subresource: string | undefined,
    body: unknown,
    contentType: string,
    query: Query,
    options: CallOptions,
  ): Promise<Stored<T>> {
    const path = objectPath(this.resource, key, subresource);
    return this.#stored(
      await this.#http.json({ method: 'PATCH', path, query, body, contentType, ...options }),
    );
  }

  #typed(object: T): T {
    return { ...object, apiVersion: apiVersionOf(this.resource), kind: this.resource.kind };
  }

  #stored(body: unknown): Stored<T> {
    const metadata = (body as KubeObject | null)?.metadata;
    if (metadata?.name === undefined || metadata.resourceVersion === undefined) {
      throw malformed(
        `expected a ${this.resource.kind} with a name and a resourceVersion, got something else`,
      );
    }
    return body as Stored<T>;
  }
}

function keyIn(object: KubeObject): ObjectKey {
  const { name, namespace } = object.metadata ?? {};
  if (name === undefined) throw new TypeError(`${object.kind ?? 'object'} without metadata.name`);
  return namespace === undefined ? { name } : { namespace, name };
}

/** `fieldValidation` travels in the query, the rest is about the call. */
function write({ fieldValidation, ...call }: WriteOptions): CallOptions & { query?: Query } {
  return fieldValidation === undefined ? call : { ...call, query: { fieldValidation } };
}

/** exactOptionalPropertyTypes: leave out what is undefined. */
function callOptions(options: {
  signal?: AbortSignal | undefined;
  timeoutMs?: number | undefined;
}): CallOptions {
  return {
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  };
}

function malformed(message: string): KubeTransportError {
  return new KubeTransportError(message, { maybeApplied: true, code: 'kube.malformed-answer' });
}

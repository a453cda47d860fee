import type { ServerResponse } from 'node:http';
import type { Api } from './api.js';
import { ApiError, badRequest, expired, invalidOptions } from './api-error.js';
import { apiVersionOf, toWire } from './decode.js';
import { fieldError } from './field-errors.js';
import type { Call } from './http-server.js';
import type { JsonObject } from './json.js';
import type { ApiObject, Kind } from './kinds/kind.js';
import { type View, viewOf } from './media.js';
import { includedOf, isTrue, versionOf } from './options.js';
import { type Included, presentEvent } from './present.js';
import { type Selector, selectorOf } from './selectors.js';
import type { Commit } from './storage.js';

const BOOKMARK_EVERY_MS = 30_000;
const DEFAULT_TIMEOUT_S = 1800;
/** Timers count no further; it is 24 days. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
/** A reader that is this far behind, but for what was there at first, is cut off and lists again, rather than growing the server's memory. */
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024;

interface WatchOptions {
  /** 0: whatever there is. */
  readonly from: number;
  /** What is there comes first, and then a bookmark that says so. */
  readonly initialEvents: boolean;
  readonly bookmarks: boolean;
  readonly timeoutMs: number;
  readonly view: View;
  readonly included: Included;
}

/** GET …?watch=1: one JSON object a line, until the time limit or until one side closes. */
export function serveWatch(api: Api, kind: Kind, namespace: string | undefined, call: Call): void {
  const { query, response } = call;
  const options = watchOptions(call);
  const watcher = new Watcher(api, kind, namespace, selectorOf(kind, query), options, response);
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  if (watcher.begin()) watcher.follow();
}

function watchOptions({ query, accept }: Call): WatchOptions {
  const bookmarks = isTrue(query.get('allowWatchBookmarks'));
  const initialEvents = isTrue(query.get('sendInitialEvents'));
  const match = query.get('resourceVersionMatch') ?? '';
  const refuse = (detail: string) =>
    invalidOptions('ListOptions', fieldError.forbidden('resourceVersionMatch', detail));
  if (query.has('sendInitialEvents') && match !== 'NotOlderThan')
    throw refuse('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan');
  if (!query.has('sendInitialEvents') && match !== '')
    throw refuse('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided');
  if (initialEvents && !bookmarks)
    throw badRequest(
      'sendInitialEvents needs allowWatchBookmarks: a bookmark says where the first events end',
    );
  const timeoutSeconds = Number(query.get('timeoutSeconds') ?? DEFAULT_TIMEOUT_S);
  if (!(timeoutSeconds >= 0))
    throw badRequest(`timeoutSeconds must be a number of seconds, got "${query.get('timeoutSeconds')}"`);
  return {
    from: versionOf(query),
    initialEvents,
    bookmarks,
    timeoutMs: Math.min(timeoutSeconds * 1000, MAX_TIMEOUT_MS),
    view: viewOf(accept),
    included: includedOf(query),
  };
}

class Watcher {
  readonly #kind: Kind;
  readonly #namespace: string | undefined;
  readonly #matches: Selector;
  readonly #options: WatchOptions;
  readonly #response: ServerResponse;
  readonly #api: Api;
  readonly #cleanups: (() => void)[] = [];
  #first = true;
  #mayBuffer = Number.POSITIVE_INFINITY;

  constructor(
    api: Api,
    kind: Kind,
    namespace: string | undefined,
    matches: Selector,
    options: WatchOptions,
    response: ServerResponse,
  ) {
    this.#api = api;
    this.#kind = kind;
    this.#namespace = namespace;
    this.#matches = matches;
    this.#options = options;
    this.#response = response;
  }

  /** Tells what happens from now on, until the time is up; a limit of 0: until the client goes. */
  follow(): void {
    const { bookmarks, timeoutMs } = this.#options;
    this.#mayBuffer = this.#response.writableLength + MAX_BUFFERED_BYTES;
    this.#cleanups.push(this.#api.storage.subscribe((commit) => this.#tell(commit)));
    if (bookmarks) {
      const timer = setInterval(() => this.#bookmark(), BOOKMARK_EVERY_MS);
      this.#cleanups.push(() => clearInterval(timer));
    }
    if (timeoutMs > 0) {
      const timer = setTimeout(() => {
        if (bookmarks) this.#bookmark();
        this.end();
      }, timeoutMs);
      this.#cleanups.push(() => clearTimeout(timer));
    }
    this.#response.on('close', () => this.end());
  }

  end(): void {
    for (const cleanup of this.#cleanups.splice(0)) cleanup();
    if (!this.#response.writableEnded) this.#response.end();
  }

  /** Tells what happened before now; false when the stream had to end with an ERROR event. */
  begin(): boolean {
    const { from, initialEvents } = this.#options;
    try {
      if (initialEvents || from === 0) {
        // A version that is not reached yet is refused also here.
        this.#api.storage.checkReached(from);
        for (const object of this.#api.storage.list(this.#kind.storage)) {
          if (this.#wants(object)) this.#send('ADDED', object);
        }
        if (initialEvents) this.#bookmark({ 'k8s.io/initial-events-end': 'true' });
      } else {
        for (const commit of this.#api.storage.since(this.#kind.storage, from)) this.#offer(commit);
      }
      return true;
    } catch (error) {
      // The head is written: as in a cluster, the refusal comes as an event.
      const refusal = error instanceof ApiError ? error : expired(String(error));
      this.#response.write(`${JSON.stringify({ type: 'ERROR', object: refusal.status })}\n`);
      this.end();
      return false;
    }
  }

  /** What cannot be told ends this watch, and is neither the writer's affair nor that of other watches. */
  #tell(commit: Commit): void {
    try {
      this.#offer(commit);
    } catch {
      this.#response.destroy();
    }
  }

  #offer(commit: Commit): void {
    if (commit.collection !== this.#kind.storage) return;
    const now = commit.type !== 'DELETED' && this.#wants(commit.object);
    const before = commit.previous !== undefined && this.#wants(commit.previous);
    if (now) this.#send(before ? 'MODIFIED' : 'ADDED', commit.object);
    else if (before)
      this.#send(
        'DELETED',
        commit.type === 'DELETED' ? commit.object : withVersionOf(commit.previous, commit.object),
      );
  }

  #wants(object: ApiObject): boolean {
    if (this.#namespace !== undefined && object.metadata['namespace'] !== this.#namespace) return false;
    return this.#matches(toWire(this.#kind, object));
  }

  #bookmark(annotations?: JsonObject): void {
    const { kind } = this.#kind;
    const apiVersion = apiVersionOf(this.#kind);
    const metadata = {
      resourceVersion: String(this.#api.storage.version),
      ...(annotations === undefined ? {} : { annotations }),
    };
    this.#write({ type: 'BOOKMARK', object: { kind, apiVersion, metadata, ...this.#kind.empty } });
  }

  #send(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: ApiObject): void {
    const { view, included } = this.#options;
    const shown = presentEvent(this.#kind, view, included, toWire(this.#kind, object), this.#first);
    this.#first = false;
    this.#write({ type, object: shown });
  }

  #write(event: unknown): void {
    if (this.#response.writableEnded || this.#response.destroyed) return;
    this.#response.write(`${JSON.stringify(event)}\n`);
    if (this.#response.writableLength > this.#mayBuffer) this.#response.destroy();
  }
}

/** An object that left the selection is told as deleted: its last selected state at the version of the change. */
function withVersionOf(previous: ApiObject | undefined, change: ApiObject): ApiObject {
  const object = previous ?? change;
  return {
    ...object,
    metadata: { ...object.metadata, resourceVersion: change.metadata['resourceVersion'] ?? '' },
  };
}

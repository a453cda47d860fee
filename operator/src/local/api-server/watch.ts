import type { ServerResponse } from 'node:http';
import type { Api } from './api.js';
import { ApiError, badRequest, expired } from './api-error.js';
import { apiVersionOf, toWire } from './decode.js';
import type { ApiObject, Kind } from './kinds/kind.js';
import { type Selector, selectorOf } from './selectors.js';
import type { Commit } from './storage.js';

const BOOKMARK_EVERY_MS = 30_000;
const DEFAULT_TIMEOUT_S = 1800;
/** A reader that is this far behind is cut off and lists again, rather than growing the server's memory. */
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024;

/** GET …?watch=1: one JSON object a line, until the time limit or until one side closes. */
export function serveWatch(
  api: Api,
  kind: Kind,
  namespace: string | undefined,
  query: URLSearchParams,
  response: ServerResponse,
): void {
  if (query.get('sendInitialEvents') !== null) {
    throw badRequest(
      'sendInitialEvents is forbidden: list first, then watch from the resourceVersion of the list',
    );
  }
  const timeoutSeconds = Number(query.get('timeoutSeconds') ?? DEFAULT_TIMEOUT_S);
  if (!(timeoutSeconds >= 0)) {
    throw badRequest(`timeoutSeconds must be a number of seconds, got "${query.get('timeoutSeconds')}"`);
  }
  const from = query.get('resourceVersion') ?? '';
  if (!/^[0-9]*$/.test(from))
    throw badRequest(`resourceVersion must be one that a list or object carried, got "${from}"`);
  const bookmarks = query.get('allowWatchBookmarks') === 'true' || query.get('allowWatchBookmarks') === '1';
  const watcher = new Watcher(api, kind, namespace, selectorOf(kind, query), response);

  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  if (watcher.begin(from)) watcher.follow(timeoutSeconds * 1000, bookmarks);
}

class Watcher {
  readonly #kind: Kind;
  readonly #namespace: string | undefined;
  readonly #matches: Selector;
  readonly #response: ServerResponse;
  readonly #api: Api;
  readonly #cleanups: (() => void)[] = [];

  constructor(
    api: Api,
    kind: Kind,
    namespace: string | undefined,
    matches: Selector,
    response: ServerResponse,
  ) {
    this.#api = api;
    this.#kind = kind;
    this.#namespace = namespace;
    this.#matches = matches;
    this.#response = response;
  }

  /** Tells what happens from now on, for so long; 0 = until the client goes. */
  follow(timeoutMs: number, bookmarks: boolean): void {
    this.#cleanups.push(this.#api.storage.subscribe((commit) => this.#offer(commit)));
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
  begin(from: string): boolean {
    try {
      if (from === '' || from === '0') {
        for (const object of this.#api.storage.list(this.#kind.storage)) {
          if (this.#wants(object)) this.#send('ADDED', object);
        }
      } else {
        for (const commit of this.#api.storage.since(this.#kind.storage, Number(from))) this.#offer(commit);
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

  #bookmark(): void {
    const { kind } = this.#kind;
    const apiVersion = apiVersionOf(this.#kind);
    const metadata = {
      name: '',
      resourceVersion: String(this.#api.storage.version),
      creationTimestamp: null,
    };
    this.#write({ type: 'BOOKMARK', object: { kind, apiVersion, metadata } });
  }

  #send(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: ApiObject): void {
    this.#write({ type, object: toWire(this.#kind, object) });
  }

  #write(event: unknown): void {
    if (this.#response.writableEnded) return;
    this.#response.write(`${JSON.stringify(event)}\n`);
    if (this.#response.writableLength > MAX_BUFFERED_BYTES) this.#response.destroy();
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

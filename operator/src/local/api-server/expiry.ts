import type { Api } from './api.js';
import { ApiError } from './api-error.js';
import type { ApiObject } from './kinds/kind.js';

const EVENTS = 'events.k8s.io/events';
const EVENT_TTL_MS = 3_600_000;
const SWEEP_MS = 60_000;

/** Events live for an hour, as in a cluster. Returns the way to stop. */
export function expireEvents(api: Api): () => void {
  const timer = setInterval(() => {
    const limit = Date.now() - EVENT_TTL_MS;
    for (const event of api.storage.list(EVENTS)) {
      const made = Date.parse(String(event.metadata['creationTimestamp']));
      if (made < limit) expire(api, event);
    }
  }, SWEEP_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** What the disk does not take now is tried with the next sweep. */
function expire(api: Api, event: ApiObject): void {
  try {
    api.deleteQuietly(EVENTS, event);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
}

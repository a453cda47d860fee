import type { Api } from './api.js';

const EVENTS = 'events.k8s.io/events';
const EVENT_TTL_MS = 3_600_000;
const SWEEP_MS = 60_000;

/** Events live for an hour, as in a cluster. Returns the way to stop. */
export function expireEvents(api: Api): () => void {
  const timer = setInterval(() => {
    const limit = Date.now() - EVENT_TTL_MS;
    for (const event of api.storage.list(EVENTS)) {
      const made = Date.parse(String(event.metadata['creationTimestamp']));
      if (made < limit) api.deleteQuietly(EVENTS, event);
    }
  }, SWEEP_MS);
  timer.unref();
  return () => clearInterval(timer);
}

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** What the layer counts. Names follow client-go where it has one. */
export interface KubeMetrics {
  readonly watch: {
    event(resource: string): void;
    /** Anything that ended a watch other than its own time limit. */
    interrupted(resource: string): void;
    relisted(resource: string): void;
    /** Changes that a relist found and the watch had not told of. */
    foundByRelist(resource: string, changes: number): void;
    /** Seconds since the last frame, bookmarks included; read when scraped. */
    silence(resource: string, seconds: () => number): void;
  };
  readonly queue: {
    added(queue: string): void;
    depth(queue: string, read: () => number): void;
    waited(queue: string, seconds: number): void;
    worked(queue: string, seconds: number): void;
    retried(queue: string): void;
  };
  readonly leader: { is(name: string, leading: boolean): void };
  readonly events: { dropped(): void };
}

const nothing = () => {};

export const noMetrics: KubeMetrics = {
  watch: {
    event: nothing,
    interrupted: nothing,
    relisted: nothing,
    foundByRelist: nothing,
    silence: nothing,
  },
  queue: { added: nothing, depth: nothing, waited: nothing, worked: nothing, retried: nothing },
  leader: { is: nothing },
  events: { dropped: nothing },
};

const DURATION_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

export function promMetrics(register: Registry): KubeMetrics {
  const registers = [register];
  const byResource = { labelNames: ['resource'] as const, registers };
  const byQueue = { labelNames: ['name'] as const, registers };

  const events = new Counter({ name: 'watch_events_total', help: 'Watch events received', ...byResource });
  const interrupted = new Counter({
    name: 'watch_interruptions_total',
    help: 'Watches that ended early',
    ...byResource,
  });
  const relists = new Counter({ name: 'watch_relists_total', help: 'Full lists', ...byResource });
  const found = new Counter({
    name: 'relist_found_changes_total',
    help: 'Changes that only a relist found',
    ...byResource,
  });
  const silences = new Map<string, () => number>();
  new Gauge({
    name: 'watch_last_event_age_seconds',
    help: 'Seconds since the last watch frame, bookmarks included',
    ...byResource,
    collect() {
      for (const [resource, read] of silences) this.set({ resource }, read());
    },
  });

  const adds = new Counter({ name: 'workqueue_adds_total', help: 'Keys added', ...byQueue });
  const retries = new Counter({
    name: 'workqueue_retries_total',
    help: 'Keys put back after a failure',
    ...byQueue,
  });
  const waits = new Histogram({
    name: 'workqueue_queue_duration_seconds',
    help: 'Wait of a key',
    buckets: DURATION_BUCKETS,
    ...byQueue,
  });
  const works = new Histogram({
    name: 'workqueue_work_duration_seconds',
    help: 'Time of one reconcile',
    buckets: DURATION_BUCKETS,
    ...byQueue,
  });
  const depths = new Map<string, () => number>();
  new Gauge({
    name: 'workqueue_depth',
    help: 'Keys that wait',
    ...byQueue,
    collect() {
      for (const [name, read] of depths) this.set({ name }, read());
    },
  });

  const leader = new Gauge({ name: 'leader_is', help: '1 while this process leads', ...byQueue });
  const dropped = new Counter({
    name: 'events_dropped_total',
    help: 'Kubernetes events that could not be written',
    registers,
  });

  return {
    watch: {
      event: (resource) => events.inc({ resource }),
      interrupted: (resource) => interrupted.inc({ resource }),
      relisted: (resource) => relists.inc({ resource }),
      foundByRelist: (resource, changes) => found.inc({ resource }, changes),
      silence: (resource, read) => silences.set(resource, read),
    },
    queue: {
      added: (name) => adds.inc({ name }),
      depth: (name, read) => depths.set(name, read),
      waited: (name, seconds) => waits.observe({ name }, seconds),
      worked: (name, seconds) => works.observe({ name }, seconds),
      retried: (name) => retries.inc({ name }),
    },
    leader: { is: (name, leading) => leader.set({ name }, leading ? 1 : 0) },
    events: { dropped: () => dropped.inc() },
  };
}

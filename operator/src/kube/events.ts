import type { ResourceClient } from './client.js';
import { type Clock, systemClock } from './clock.js';
import { microTimestamp } from './conditions.js';
import { isNotFound } from './errors.js';
import { type KubeMetrics, noMetrics } from './metrics.js';
import { defineResource } from './resources.js';
import type { KubeObject, Stored } from './types.js';

export interface ObjectReference {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly uid?: string;
}

/** events.k8s.io/v1 Event. */
export interface KubeEvent extends KubeObject {
  eventTime?: string;
  type?: 'Normal' | 'Warning';
  reason?: string;
  action?: string;
  note?: string;
  regarding?: ObjectReference;
  related?: ObjectReference;
  reportingController?: string;
  reportingInstance?: string;
  series?: { count: number; lastObservedTime: string };
}

export const Events = defineResource<KubeEvent>({
  group: 'events.k8s.io',
  version: 'v1',
  plural: 'events',
  kind: 'Event',
  namespaced: true,
});

export interface EventRecorderOptions {
  /** A domain-qualified name, e.g. `trading.flashpod.dev/operator`. */
  readonly component: string;
  /** Which copy of it: the pod name. */
  readonly instance: string;
  readonly clock?: Clock;
  readonly metrics?: KubeMetrics;
  readonly onError?: (error: unknown) => void;
}

/** Reason is a type parameter: the caller names the fixed list of reasons that its product knows. */
export interface EventInput<Reason extends string> {
  readonly regarding: KubeObject;
  readonly type: 'Normal' | 'Warning';
  readonly reason: Reason;
  /** What was being done, in UpperCamelCase. */
  readonly action: string;
  readonly note: string;
}

interface Series {
  event: Promise<Stored<KubeEvent> | undefined>;
  count: number;
  lastAt: number;
  /** Does the write that waits, now. */
  scheduled: (() => void) | undefined;
}

/** An event told again within this time joins the series of the first. */
const SERIES_MS = 360_000;
/** A series is written at most this often. */
const SERIES_WRITE_MS = 10_000;
const MAX_SERIES = 4096;
const MAX_PENDING = 256;
/** The server's limit is 1 kB. */
const MAX_NOTE_BYTES = 1024;

/** Writes Events. Never throws and never blocks: an event that cannot be written is counted as dropped. */
export class EventRecorder<Reason extends string> {
  readonly #client: ResourceClient<KubeEvent>;
  readonly #options: EventRecorderOptions;
  readonly #clock: Clock;
  readonly #metrics: KubeMetrics['events'];
  readonly #series = new Map<string, Series>();
  readonly #pending = new Set<Promise<void>>();
  #sequence = 0;

  constructor(client: ResourceClient<KubeEvent>, options: EventRecorderOptions) {
    this.#client = client;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#metrics = (options.metrics ?? noMetrics).events;
  }

  record(input: EventInput<Reason>): void {
    const key = [input.regarding.metadata?.uid, input.type, input.reason, input.action, input.note].join(
      '\0',
    );
    const now = this.#clock.now();
    const series = this.#series.get(key);
    if (series !== undefined && now - series.lastAt < SERIES_MS) {
      series.count += 1;
      series.lastAt = now;
      this.#scheduleSeries(series);
      return;
    }
    this.#forgetOld(now);
    const fresh: Series = { event: Promise.resolve(undefined), count: 1, lastAt: now, scheduled: undefined };
    this.#series.set(key, fresh);
    fresh.event = this.#write(() => this.#client.create(this.#event(input)));
  }

  /** Resolves when everything recorded so far is written or dropped. */
  async flush(): Promise<void> {
    for (const { scheduled } of this.#series.values()) scheduled?.();
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  #scheduleSeries(series: Series): void {
    if (series.scheduled !== undefined) return;
    const write = () => {
      cancel();
      series.scheduled = undefined;
      void this.#write(() => this.#writeSeries(series));
    };
    // The second time is worth telling at once, the hundredth is not.
    const cancel = this.#clock.after(series.count === 2 ? 0 : SERIES_WRITE_MS, write);
    series.scheduled = write;
  }

  async #writeSeries(series: Series): Promise<Stored<KubeEvent> | undefined> {
    const event = await series.event;
    if (event === undefined) return undefined;
    const patch = { series: { count: series.count, lastObservedTime: microTimestamp(this.#clock.wall()) } };
    const { namespace, name } = event.metadata;
    try {
      return await this.#client.mergePatch(
        { ...(namespace === undefined ? {} : { namespace }), name },
        patch,
      );
    } catch (error) {
      // Events live for an hour; the next occurrence starts a new series.
      if (isNotFound(error)) series.lastAt = Number.NEGATIVE_INFINITY;
      throw error;
    }
  }

  #write(send: () => Promise<Stored<KubeEvent> | undefined>): Promise<Stored<KubeEvent> | undefined> {
    if (this.#pending.size >= MAX_PENDING) {
      this.#metrics.dropped();
      return Promise.resolve(undefined);
    }
    const result = send().catch((error: unknown) => {
      this.#metrics.dropped();
      this.#options.onError?.(error);
      return undefined;
    });
    const tracked: Promise<void> = result.then(() => {
      this.#pending.delete(tracked);
    });
    this.#pending.add(tracked);
    return result;
  }

  #event(input: EventInput<Reason>): KubeEvent {
    const { apiVersion, kind, metadata } = input.regarding;
    const wall = this.#clock.wall();
    this.#sequence += 1;
    const unique = `${wall.getTime().toString(16)}${(this.#sequence % 0x10000).toString(16).padStart(4, '0')}`;
    // Events of cluster-scoped objects live in "default", as client-go files them.
    const namespace = metadata?.namespace ?? 'default';
    return {
      metadata: { name: `${metadata?.name ?? 'unknown'}.${unique}`, namespace },
      eventTime: microTimestamp(wall),
      type: input.type,
      reason: input.reason,
      action: input.action,
      note: truncate(input.note),
      regarding: reference({
        apiVersion,
        kind,
        namespace: metadata?.namespace,
        name: metadata?.name,
        uid: metadata?.uid,
      }),
      reportingController: this.#options.component,
      reportingInstance: this.#options.instance.slice(0, 128),
    };
  }

  #forgetOld(now: number): void {
    for (const [key, series] of this.#series) {
      if (now - series.lastAt >= SERIES_MS || this.#series.size > MAX_SERIES) this.#series.delete(key);
    }
  }
}

function reference(fields: { readonly [K in keyof ObjectReference]: string | undefined }): ObjectReference {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function truncate(note: string): string {
  const bytes = Buffer.from(note);
  if (bytes.length <= MAX_NOTE_BYTES) return note;
  // Cutting may split a character; toString marks it, and the mark goes too.
  return `${bytes
    .subarray(0, MAX_NOTE_BYTES - 4)
    .toString('utf8')
    .replace(/\uFFFD+$/, '')}…`;
}

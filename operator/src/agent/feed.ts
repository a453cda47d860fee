// Keeps the core told of what is wanted: the whole desired state at each change, and whenever a stream begins.

import type { StrategyInstance, TradingAccount } from '@flashpod/crds';
import type { CoreStatus } from '@flashpod/proto';
import { twinFacts } from '../account/twin.js';
import type { Caches } from '../api/index.js';
import { stableJson } from '../api/names.js';
import type { Change, Clock, KubeObject } from '../kube/index.js';
import { type AgentWorld, type Desired, desiredState, instancesOn } from './desired.js';
import type { UpBody } from './link.js';
import { Stops } from './stops.js';

/** A core that does not have in force what it was told so long ago is told again. */
const againAfterMs = 1_000;

export class Feed {
  readonly #world: () => AgentWorld;
  readonly #send: (body: UpBody) => boolean;
  #generation: bigint;
  #content = '';
  #desired: Desired | undefined;
  #scheduled = false;
  /** Generations of the instances in each desired state that is not acknowledged yet. */
  readonly #sent = new Map<bigint, ReadonlyMap<string, number>>();
  #inForce: ReadonlyMap<string, number> = new Map();
  #acknowledged = 0n;
  readonly #stops = new Stops();
  readonly #clock: Clock;
  #sentAt = 0;

  constructor(world: () => AgentWorld, send: (body: UpBody) => boolean, clock: Clock) {
    this.#world = world;
    this.#send = send;
    this.#clock = clock;
    // Grows across restarts of the agent too: the core may still have our predecessor's in force.
    this.#generation = BigInt(clock.wall().getTime()) * 1_000n;
  }

  /** Follows the caches. Changes of one burst are told together, within the same turn of the event loop. */
  follow(caches: Caches): void {
    for (const reflector of caches.all) {
      reflector.onChange((change: Change<KubeObject>) => {
        if (change.type !== 'updated' || matters(change.old, change.object)) this.#schedule();
      });
    }
    this.update();
  }

  /** Compares what is wanted with what was sent, and sends it when it changed. */
  update(): void {
    const { proven } = this.#stops;
    const desired = desiredState(this.#world(), { told: this.#told(), proven });
    const content = stableJson(desired);
    if (content === this.#content) {
      this.#remember();
      return;
    }
    this.#content = content;
    this.#desired = desired;
    this.#generation += 1n;
    this.#stops.told(this.#generation, desired);
    this.#remember();
    this.resend();
  }

  /** Takes a report: what of the desired state is in force, and which of its proofs answer a stop that still stands. */
  take(status: CoreStatus): void {
    this.#acknowledge(status.generation);
    this.#stops.judge(status);
  }

  resend(): void {
    if (this.#desired === undefined) return;
    this.#sentAt = this.#clock.now();
    this.#send({ case: 'desired', value: { ...this.#desired, generation: this.#generation } });
  }

  /** The core has this desired state in force. */
  #acknowledge(generation: bigint): void {
    if (generation > this.#generation) {
      // Our predecessor's, whose clock was ahead of ours: it must not pass for ours.
      this.#sent.clear();
      this.#generation = generation + 1n;
      this.#stops.told(this.#generation, this.#desired, { again: true });
      this.#remember();
      this.resend();
      return;
    }
    this.#acknowledged = generation;
    // Lost, or overtaken by what a predecessor had under way: a halt must not depend on one message.
    const late = this.#clock.now() - this.#sentAt >= againAfterMs;
    if (generation < this.#generation && late) this.resend();
    for (const [sent, generations] of this.#sent) {
      if (sent > generation) continue;
      this.#inForce = generations;
      if (sent < this.#generation) this.#sent.delete(sent);
    }
  }

  /** metadata.generation of the instance whose policy is in force. */
  generationInForce(instance: string): number | undefined {
    return this.#inForce.get(instance);
  }

  #told(): ReadonlySet<string> | undefined {
    const instances = this.#desired?.instances;
    return instances && new Set(instances.map(({ uid = '' }) => uid));
  }

  /** An edit that changes nothing for the core is in force as soon as the same content is. */
  #remember(): void {
    const instances = instancesOn(this.#world());
    const generations = new Map(instances.map(({ metadata }) => [metadata.name, metadata.generation ?? 0]));
    this.#sent.set(this.#generation, generations);
    if (this.#acknowledged >= this.#generation) this.#inForce = generations;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.update();
    });
  }
}

/** Status changes every second and asks nothing of the core, but for the proof of a stop and whose an account is. */
function matters(old: KubeObject, object: KubeObject): boolean {
  const proven = (of: KubeObject) => (of as Partial<StrategyInstance>).status?.proof?.provenAt;
  return (
    old.metadata?.generation !== object.metadata?.generation ||
    old.metadata?.deletionTimestamp !== object.metadata?.deletionTimestamp ||
    proven(old) !== proven(object) ||
    twinFacts(old as TradingAccount) !== twinFacts(object as TradingAccount)
  );
}

// Keeps the core told of what is wanted: the whole desired state at each change, and whenever a stream begins.

import type { StrategyInstance, TradingAccount } from '@flashpod/crds';
import type { CoreStatus } from '@flashpod/proto';
import { twinFacts } from '../account/twin.js';
import type { Caches } from '../api/index.js';
import { stableJson } from '../api/names.js';
import type { Change, Clock, KubeObject } from '../kube/index.js';
import { adoptionOf, riskResetOf } from '../strategy/policy.js';
import { type AgentWorld, type Desired, desiredState, instancesOn } from './desired.js';
import { leftBy, nothingLeft } from './left.js';
import type { UpBody } from './link.js';
import { Stops } from './stops.js';

/** A core that does not have in force what it was told so long ago is told again. */
const againAfterMs = 1_000;

/** An instance as the core was told of it. */
interface Told {
  readonly account: string;
  readonly generation: number;
}

export class Feed {
  readonly #world: () => AgentWorld;
  readonly #send: (body: UpBody) => boolean;
  #generation: bigint;
  #content = '';
  #desired: Desired | undefined;
  #scheduled = false;
  /** The instances in each desired state that some account does not have in force yet. */
  readonly #sent = new Map<bigint, ReadonlyMap<string, Told>>();
  /** metadata.generation of the instance whose policy is in force, by instance. */
  readonly #inForce = new Map<string, number>();
  /** Generation of the desired state in force, by account: one that is slow says nothing about the others. */
  #acknowledged: ReadonlyMap<string, bigint> = new Map();
  readonly #stops = new Stops();
  #left = nothingLeft;
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
    const desired = desiredState(this.#world(), { told: this.#told(), proven, left: this.#left });
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
    this.#acknowledge(status);
    this.#stops.judge(status);
    this.#handedOver(status);
  }

  /** A stream begins, maybe with a core that has no journal: what the one before left goes with the first word. */
  begin(): void {
    const { instances, accounts } = this.#world();
    this.#left = leftBy(instances, accounts);
    this.update();
    this.resend();
  }

  /** Once all accounts are reconciled nobody needs what was left. */
  #handedOver({ accounts }: CoreStatus): void {
    if (this.#left === nothingLeft || !accounts.every(({ ready }) => ready)) return;
    this.#left = nothingLeft;
    this.update();
  }

  resend(): void {
    if (this.#desired === undefined) return;
    this.#sentAt = this.#clock.now();
    this.#send({ case: 'desired', value: { ...this.#desired, generation: this.#generation } });
  }

  /** The core has this in force. */
  #acknowledge({ generation, accounts }: CoreStatus): void {
    const ahead = accounts.map((account) => account.generation).filter((of) => of > generation);
    const newest = ahead.sort((a, b) => Number(a - b)).at(-1) ?? generation;
    if (newest > this.#generation) {
      // Our predecessor's, whose clock was ahead of ours: it must not pass for ours.
      this.#sent.clear();
      this.#generation = newest + 1n;
      this.#stops.told(this.#generation, this.#desired, { again: true });
      this.#remember();
      this.resend();
      return;
    }
    this.#acknowledged = new Map(accounts.map((of) => [of.account, of.generation]));
    // Lost, or overtaken by what a predecessor had under way: a halt must not depend on one message.
    const late = this.#clock.now() - this.#sentAt >= againAfterMs;
    if (generation < this.#generation && late) this.resend();
    this.#settle();
  }

  /** Notes which policies are in force by what the accounts acknowledged. */
  #settle(): void {
    for (const [sent, told] of this.#sent) {
      let waits = false;
      for (const [name, { account, generation }] of told) {
        if ((this.#acknowledged.get(account) ?? 0n) >= sent) this.#inForce.set(name, generation);
        else waits = true;
      }
      if (sent < this.#generation && !waits) this.#sent.delete(sent);
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
    const told = new Map(
      instancesOn(this.#world()).map(({ metadata, spec }): [string, Told] => [
        metadata.name,
        { account: spec.accountRef.name, generation: metadata.generation ?? 0 },
      ]),
    );
    this.#sent.set(this.#generation, told);
    for (const name of this.#inForce.keys()) if (!told.has(name)) this.#inForce.delete(name);
    this.#settle();
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

/**
 * Status changes every second and asks nothing of the core, but for the proof of a stop and whose an account is; an
 * annotation resets loss limits or accepts a difference.
 */
function matters(old: KubeObject, object: KubeObject): boolean {
  const proven = (of: KubeObject) => (of as Partial<StrategyInstance>).status?.proof?.provenAt;
  return (
    old.metadata?.generation !== object.metadata?.generation ||
    old.metadata?.deletionTimestamp !== object.metadata?.deletionTimestamp ||
    proven(old) !== proven(object) ||
    riskResetOf(old as TradingAccount) !== riskResetOf(object as TradingAccount) ||
    adoptionOf(old as TradingAccount) !== adoptionOf(object as TradingAccount) ||
    twinFacts(old as TradingAccount) !== twinFacts(object as TradingAccount)
  );
}

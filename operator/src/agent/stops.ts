// Which proofs count. The core's reports are late by nature: one that was under way when a stop was taken back proves
// nothing of the next stop, nor of the next instance of that name.

import { type CoreStatus, InstancePolicy_State } from '@flashpod/proto';
import type { Desired } from './desired.js';

export class Stops {
  /** By name: the instance that is to stop, and the generation of the desired state since which it is, without a break. */
  readonly #since = new Map<string, { uid: string; account: string; generation: bigint }>();
  /** Instances, by uid, whose stop is proven. */
  readonly proven = new Set<string>();

  /** A desired state was made. `again`: the generations before it say nothing any more. */
  told(generation: bigint, desired: Desired | undefined, { again = false } = {}): void {
    const stopping = new Map(
      (desired?.instances ?? [])
        .filter(({ state }) => state === InstancePolicy_State.STOP)
        .map(({ instance = '', uid = '', account = '' }) => [instance, { uid, account }]),
    );
    for (const [name, { uid }] of this.#since)
      if (again || stopping.get(name)?.uid !== uid) this.#since.delete(name);
    for (const [name, stop] of stopping)
      if (!this.#since.has(name)) this.#since.set(name, { ...stop, generation });
    const present = new Set((desired?.instances ?? []).map(({ uid }) => uid));
    for (const uid of this.proven) if (!present.has(uid)) this.proven.delete(uid);
  }

  /** Takes out of a report the proofs that answer no stop in force, and remembers the others. */
  judge(status: CoreStatus): void {
    const inForce = new Map(status.accounts.map(({ account, generation }) => [account, generation]));
    for (const instance of status.instances) {
      if (instance.proof === undefined) continue;
      const asked = this.#since.get(instance.instance);
      // By its own account: another that is slow proves nothing against it.
      if (asked === undefined || (inForce.get(asked.account) ?? 0n) < asked.generation) delete instance.proof;
      else if (instance.proof.provenUnixNs !== 0n) this.proven.add(asked.uid);
    }
  }
}

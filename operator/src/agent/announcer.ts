// Tells the core of each attempt to renew a Lease before it is made, and waits until the core says that it heard.
//
// The core notes its clock when it hears of an attempt, and counts its deadlines from there. An attempt that lay in the
// socket of a stopped core would count from when it woke up, long after the renewal, when another may hold the
// account: so nothing is asked of the API server before the core has heard.

import type { AccountStatus } from '@flashpod/proto';
import { type Clock, sleep } from '../kube/index.js';
import type { UpBody } from './link.js';

export interface AnnouncerOptions {
  readonly account: string;
  readonly seenByCore: () => AccountStatus | undefined;
  readonly send: (body: UpBody) => boolean;
}

/** A core that does not say by then that it heard of an attempt is stopped or stuck, and gets no renewal. */
const echoWithinMs = 5_000;

export class Announcer {
  readonly #options: AnnouncerOptions;
  readonly #clock: Clock;
  #attempt: bigint;
  #waiting: { attempt: bigint; end: AbortController } | undefined;

  constructor(options: AnnouncerOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    // Grows across restarts of the agent, so that an old answer never matches a new attempt.
    this.#attempt = BigInt(clock.wall().getTime()) * 1_000n;
  }

  /** The number of the attempt once the core has heard of it; undefined when it does not. */
  async announce(signal: AbortSignal): Promise<bigint | undefined> {
    const { account, send } = this.#options;
    this.#attempt += 1n;
    const attempt = this.#attempt;
    if (!send({ case: 'leaseAttempt', value: { account, attempt } })) return undefined;
    if (!this.#isHeard(attempt)) {
      const end = new AbortController();
      this.#waiting = { attempt, end };
      await sleep(this.#clock, echoWithinMs, AbortSignal.any([signal, end.signal]));
      this.#waiting = undefined;
    }
    return this.#isHeard(attempt) && !signal.aborted ? attempt : undefined;
  }

  /** The core reported. */
  heard(): void {
    if (this.#waiting !== undefined && this.#isHeard(this.#waiting.attempt)) this.#waiting.end.abort();
  }

  /** What was announced may be lost: whoever waits is to announce anew. */
  giveUp(): void {
    this.#waiting?.end.abort();
  }

  #isHeard(attempt: bigint): boolean {
    return this.#options.seenByCore()?.leaseAttempt === attempt;
  }
}

// What the sidecars of the benchmarks have in common.

import type { AnyStrategy } from '@flashpod/sdk';
import { CoreClock, Sidecar } from '@flashpod/sidecar';

export interface Place {
  readonly socket: string;
  readonly instance: string;
  readonly token: string;
}

/** The sidecar of a pod without its probes and logs; what goes wrong ends the process. */
export function quietSidecar(strategy: AnyStrategy, place: Place, clock = new CoreClock()): Sidecar {
  const told = (message: string, fields?: object): void => {
    process.stderr.write(`${message} ${JSON.stringify(fields ?? {})}\n`);
  };
  return new Sidecar({
    strategy,
    instance: place.instance,
    socket: place.socket,
    readToken: () => place.token,
    log: { debug() {}, info() {}, warn() {}, error: told },
    clock,
    onFatal: (error) => {
      process.stderr.write(`${error.stack}\n`);
      process.exit(1);
    },
  });
}

import type { Container, Probe } from '../../kube/pod.js';
import type { ContainerHost } from './container.js';
import { runProbe } from './probe.js';

/** What the probes of a running container found. */
export interface ProbeOutcome {
  started(): void;
  ready(ready: boolean): void;
  /** The startup or liveness probe failed for good: the container is to be restarted. */
  failed(probe: 'startup' | 'liveness', why: string): void;
}

/** Asks until `signal` is aborted: the startup probe alone first, the others once it has passed. */
export function watchProbes(
  container: Container,
  host: ContainerHost,
  signal: AbortSignal,
  outcome: ProbeOutcome,
): void {
  const ask = (
    probe: Probe,
    name: string,
    until: AbortSignal,
    onResult: (healthy: boolean, why: string) => void,
  ): void => {
    const onFailure = (why: string) => host.event('Warning', 'Unhealthy', `${name} probe failed: ${why}`);
    void runProbe(probe, { podIP: host.podIP, container }, host.clock, { onResult, onFailure }, until);
  };
  const { startupProbe, readinessProbe, livenessProbe } = container;

  const begin = () => {
    outcome.started();
    if (readinessProbe !== undefined)
      ask(readinessProbe, 'Readiness', signal, (healthy) => outcome.ready(healthy));
    if (livenessProbe !== undefined) {
      ask(livenessProbe, 'Liveness', signal, (healthy, why) => {
        if (!healthy) outcome.failed('liveness', why);
      });
    }
  };
  if (startupProbe === undefined) {
    begin();
    return;
  }
  const decided = new AbortController();
  ask(startupProbe, 'Startup', AbortSignal.any([signal, decided.signal]), (healthy, why) => {
    decided.abort();
    if (healthy) begin();
    else outcome.failed('startup', why);
  });
}

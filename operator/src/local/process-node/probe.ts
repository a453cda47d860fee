import { request } from 'undici';
import { messageOf } from '../../errors.js';
import { type Clock, sleep } from '../../kube/clock.js';
import type { Container, Probe } from '../../kube/pod.js';

export interface ProbeTarget {
  readonly podIP: string;
  readonly container: Container;
}

export interface ProbeListener {
  /** After successThreshold successes, or failureThreshold failures, in a row; only when it changed. */
  onResult(healthy: boolean, why: string): void;
  onFailure?(why: string): void;
}

/** Asks again and again until aborted, counting as the kubelet does. */
export async function runProbe(
  probe: Probe,
  target: ProbeTarget,
  clock: Clock,
  listener: ProbeListener,
  signal: AbortSignal,
): Promise<void> {
  const period = (probe.periodSeconds ?? 10) * 1000;
  let healthy: boolean | undefined;
  let row = 0;
  let rowHealthy = false;
  await sleep(clock, (probe.initialDelaySeconds ?? 0) * 1000, signal);
  while (!signal.aborted) {
    const failure = await ask(probe, target, signal);
    if (signal.aborted) return;
    const good = failure === undefined;
    row = good === rowHealthy ? row + 1 : 1;
    rowHealthy = good;
    if (failure !== undefined) listener.onFailure?.(failure);
    const threshold = good ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3);
    if (row >= threshold && healthy !== good) {
      healthy = good;
      listener.onResult(good, failure ?? '');
    }
    await sleep(clock, period, signal);
  }
}

/** Undefined when the answer is 200…399 in time. */
async function ask(
  probe: Probe,
  { podIP, container }: ProbeTarget,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { path = '/', port, host = podIP, scheme = 'HTTP' } = probe.httpGet ?? { port: 0 };
  const number =
    typeof port === 'number' ? port : container.ports?.find(({ name }) => name === port)?.containerPort;
  if (number === undefined) return `port "${port}" is not a named port of container ${container.name}`;
  const timeout = (probe.timeoutSeconds ?? 1) * 1000;
  const url = `${scheme.toLowerCase()}://${host}:${number}${path.startsWith('/') ? path : `/${path}`}`;
  try {
    const answer = await request(url, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
      headers: { 'user-agent': 'kube-probe/1.35' },
    });
    await answer.body.dump();
    return answer.statusCode >= 200 && answer.statusCode < 400
      ? undefined
      : `HTTP probe failed with statuscode: ${answer.statusCode}`;
  } catch (error) {
    return `Get "${url}": ${messageOf(error)}`;
  }
}

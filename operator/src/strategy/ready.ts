// Condition Ready of a TradingStrategy: whether it trades, else the one reason that is to be seen to first.

import type { StrategyInstance, TradingStrategyStatus } from '@flashpod/crds';
import { eventReasons, type Reason, reasons, conditions as types } from '../api/reasons.js';
import { findCondition } from '../kube/conditions.js';
import type { Pod } from '../kube/pod.js';
import type { Acceptance } from './accept.js';
import { newest, type PlannedEvent, type World } from './world.js';

export interface Verdict {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: Reason;
  readonly message: string;
}

/** Conditions take 4096 characters. */
export const cut = (text: string) => (text.length > 4000 ? `${text.slice(0, 3999)}…` : text);

const no = (reason: Reason, message: string): Verdict => ({ status: 'False', reason, message: cut(message) });

export function readyVerdict(
  world: World,
  acceptance: Acceptance,
  keep: StrategyInstance | undefined,
): Verdict {
  return keep === undefined ? nothingRuns(world, acceptance) : instanceVerdict(world, keep);
}

function nothingRuns({ strategy, instances, former }: World, acceptance: Acceptance): Verdict {
  const stopping = newest(instances);
  if (stopping !== undefined) return no(reasons.stopping, `instance ${stopping.metadata.name} is stopping`);
  if (strategy.metadata.deletionTimestamp !== undefined) return no(reasons.stopping, 'being deleted');
  if (strategy.spec.suspended) return no(reasons.suspended, 'suspended: no instance runs');
  if (acceptance.accepted !== 'True') return no(reasons.notAccepted, 'see condition Accepted');
  const before = newest(former);
  if (before === undefined) return no(reasons.starting, 'its instance is being made');
  const { metadata, status } = before;
  const waiting = status?.proof?.waitingFor ?? 'the core to report';
  return no(
    reasons.starting,
    `instance ${metadata.name} of a former strategy of this name is stopping; it waits for ${waiting}`,
  );
}

function instanceVerdict(world: World, { metadata, status }: StrategyInstance): Verdict {
  if (status?.capitalError) return no(reasons.capitalMissing, status.capitalError);
  const halts = world.policies.get(metadata.name)?.halts ?? [];
  if (halts.length > 0)
    return no(reasons.halted, `halted by ${halts.map(({ metadata: { name } }) => name).join(', ')}`);
  const said = (code: string) => status?.reasons?.find((reason) => reason.startsWith(code));
  const lossLimit = lossLimitSaid(status?.reasons);
  if (lossLimit !== undefined) return no(reasons.lossLimit, lossLimit);
  const failed = said('STRATEGY_FAILED');
  if (failed !== undefined)
    return no(reasons.strategyFailed, `${failed}; to start it anew: kubectl delete pod ${metadata.name}`);
  const pod = world.pods.get(metadata.name);
  const lost = said('SIDECAR_LOST');
  if (lost !== undefined && wasThere(world.strategy.status, status, pod))
    return no(reasons.sidecarLost, `${lost}; ${podInWords(metadata.name, pod)}`);
  if (!status?.sidecarConnected) {
    return isReady(pod)
      ? no(reasons.sidecarNotConnected, 'its pod is ready but not connected to the core')
      : no(reasons.podNotReady, podInWords(metadata.name, pod));
  }
  if (status.state === 'Active')
    return { status: 'True', reason: reasons.trading, message: `instance ${metadata.name} trades` };
  const why = (status.reasons ?? []).join('; ') || 'the core says no reason';
  if (status.state === 'ReduceOnly') return no(reasons.reduceOnly, why);
  return no(status.state === 'Halted' ? reasons.halted : reasons.starting, why);
}

/** What the core says of a loss limit that was reached, of the strategy's own or of its account's. */
export function lossLimitSaid(said: readonly string[] | undefined): string | undefined {
  const codes = ['RISK_DAILY_LOSS:', 'RISK_DRAWDOWN:', 'RISK_ACCOUNT_LOSS:', 'RISK_ACCOUNT_DRAWDOWN:'];
  return said?.find((reason) => codes.some((code) => reason.startsWith(code)));
}

/** Until a sidecar has been there, it is not lost but late. */
function wasThere(
  before: TradingStrategyStatus | undefined,
  instance: StrategyInstance['status'],
  pod: Pod | undefined,
): boolean {
  const { status, reason } = findCondition(before?.conditions, types.ready) ?? {};
  const { acceptedOrders = 0, riskRejects = 0 } = instance ?? {};
  const restarts = pod?.status?.containerStatuses?.[0]?.restartCount ?? 0;
  return status === 'True' || reason === reasons.sidecarLost || acceptedOrders + riskRejects + restarts > 0;
}

function isReady(pod: Pod | undefined): boolean {
  return pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

/** The state of a pod, and how its container ended last, which is where a crash shows. */
function podInWords(name: string, pod: Pod | undefined): string {
  const phase = pod?.status?.phase ?? 'not there yet';
  const [container] = pod?.status?.containerStatuses ?? [];
  const ended = container?.state.terminated ?? container?.lastState.terminated;
  const restarts = container?.restartCount ?? 0;
  const ready = phase === 'Running' ? (isReady(pod) ? ' and ready' : ', not ready') : '';
  const reason = ended?.reason === 'OOMKilled' ? ' (OOMKilled: over its memory limit)' : '';
  const how = ended === undefined ? '' : `, ended last with exit code ${ended.exitCode}${reason}`;
  return `pod ${name} is ${phase}${ready}${restarts === 0 ? '' : `, restarted ${restarts} times`}${how}`;
}

const losses: Partial<Record<Reason, PlannedEvent['reason']>> = {
  [reasons.sidecarLost]: eventReasons.sidecarLost,
  [reasons.strategyFailed]: eventReasons.strategyFailed,
  [reasons.lossLimit]: eventReasons.lossLimit,
};

/**
 * An event when the strategy failed, its sidecar was lost or a loss limit was reached, and when such a limit was reset:
 * once per change, however often the plan is made.
 */
export function lossEvent(
  ready: Verdict,
  before: TradingStrategyStatus | undefined,
): PlannedEvent | undefined {
  const { reason, message, status } = ready;
  const former = findCondition(before?.conditions, types.ready)?.reason;
  if (former === reason) return undefined;
  const said = losses[reason];
  if (said !== undefined) return { type: 'Warning', reason: said, message };
  if (former !== reasons.lossLimit || status !== 'True') return undefined;
  return { type: 'Normal', reason: eventReasons.lossLimitReset, message: 'trades again after a reset' };
}

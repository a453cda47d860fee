// From an ExecutionCore and what it refers to, to its pod. Pure.

import type { ExecutionCore, ExecutionCoreStatus, StrategyInstance, TradingAccount } from '@flashpod/crds';
import { secretOf, twinOf, twinProblem } from '../account/twin.js';
import type { Images } from '../api/defaults.js';
import { annotations, corePodName, finalizers, stableJson } from '../api/names.js';
import { type EventReason, eventReasons, type Reason, reasons, conditions as types } from '../api/reasons.js';
import { setCondition } from '../kube/conditions.js';
import type { Pod } from '../kube/pod.js';
import { type CoreConfig, coreConfig } from './config.js';
import { corePod, corePodHash } from './pod.js';

export interface CoreWorld {
  readonly now: Date;
  readonly core: ExecutionCore;
  /** Accounts of the namespace. */
  readonly accounts: readonly TradingAccount[];
  /** Names of Secrets with credentials that the core refers to and that are there. */
  readonly secrets: ReadonlySet<string>;
  /** Instances that run on this core. */
  readonly instances: readonly StrategyInstance[];
  readonly pod: Pod | undefined;
  readonly images: Images;
}

export type CoreAction = (
  | { readonly do: 'hold' }
  | { readonly do: 'release' }
  | { readonly do: 'createPod'; readonly pod: Pod; readonly config: CoreConfig }
  | { readonly do: 'deletePod'; readonly name: string; readonly uid: string }
) & { readonly say?: { readonly reason: EventReason; readonly message: string } };

export interface CorePlan {
  readonly actions: readonly CoreAction[];
  /** The operator's part of the status put over what the agent wrote. */
  readonly status: (before: ExecutionCoreStatus | undefined) => ExecutionCoreStatus;
}

interface Refusal {
  readonly status: 'False' | 'Unknown';
  readonly reason: Reason;
  readonly message: string;
}

export function planCore(world: CoreWorld): CorePlan {
  const refusal = refuse(world);
  const actions = actionsFor(world, refusal);
  // What can be served is served; the status says what cannot.
  return { actions, status: (before) => statusFor(world, refusal ?? leftOut(world), before) };
}

const listed = ({ core, accounts }: CoreWorld): TradingAccount[] =>
  core.spec.accounts.flatMap((name) => accounts.find(({ metadata }) => metadata.name === name) ?? []);

const isAccepted = ({ spec, status }: TradingAccount) =>
  status?.credentialsSecret !== undefined || spec.credentialsSecretRef === undefined;

/** Accounts that the core runs with: those that were accepted with a Secret, and those that need none. */
const served = (world: CoreWorld): TradingAccount[] => listed(world).filter(isAccepted);

/** Accounts whose keys another account has: the core runs without them, so that the others trade. */
function leftOut(world: CoreWorld): Refusal | undefined {
  const problems = listed(world).flatMap((account) => {
    const twin = isAccepted(account) ? undefined : twinOf(account, world.accounts);
    return twin === undefined
      ? []
      : `account ${account.metadata.name} is left out: ${twinProblem(account, twin)}`;
  });
  if (problems.length === 0) return undefined;
  const message = problems.join('; ').slice(0, 4_000);
  return { status: 'False', reason: reasons.sameExchangeAccount, message };
}

function refuse(world: CoreWorld): Refusal | undefined {
  const { core, accounts, secrets } = world;
  const names = accounts.map(({ metadata }) => metadata.name);
  const missing = core.spec.accounts.findIndex((name) => !names.includes(name));
  if (missing >= 0) {
    const accepted = `a TradingAccount of this namespace: ${names.join(', ') || 'none'}`;
    const value = JSON.stringify(core.spec.accounts[missing]);
    return {
      status: 'False',
      reason: reasons.accountNotFound,
      message: `spec.accounts[${missing}]: ${value} is not accepted; accepted: ${accepted}`,
    };
  }
  const unjudged = listed(world).find((account) => !isAccepted(account) && !twinOf(account, accounts));
  if (unjudged !== undefined) {
    const message = `account ${unjudged.metadata.name} has not been judged yet`;
    return { status: 'Unknown', reason: reasons.accountNotReady, message };
  }
  const used = served(world);
  if (used.length === 0) return leftOut(world);
  const keyless = used
    .map((account) => ({ account, secret: secretOf(account) }))
    .find(({ secret }) => secret !== undefined && !secrets.has(secret));
  if (keyless !== undefined) {
    const { account, secret } = keyless;
    const message =
      `account ${account.metadata.name}, spec.credentialsSecretRef.name: there is no Secret "${secret}"; ` +
      'accepted: a Secret of this namespace with the keys apiKey and secretKey';
    return { status: 'False', reason: reasons.credentialsNotFound, message };
  }
  const authorities = new Set(
    used.flatMap(({ spec }) => spec.endpoints?.caConfigMapRef ?? []).map(stableJson),
  );
  if (authorities.size > 1) {
    const message = `spec.accounts: their endpoints name ${authorities.size} certificate authorities; accepted: one ConfigMap for all accounts of a core`;
    return { status: 'False', reason: reasons.caConflict, message };
  }
  return undefined;
}

function actionsFor(world: CoreWorld, refusal: Refusal | undefined): CoreAction[] {
  const { core, pod, instances, images } = world;
  const { name, deletionTimestamp, finalizers: held = [], annotations: notes } = core.metadata;
  const podRef = { name: corePodName(name), uid: pod?.metadata?.uid ?? '' };
  const going = pod?.metadata?.deletionTimestamp !== undefined;

  // Instances need the core to prove that they stopped: until then a core under deletion runs as any other.
  const needed = instances.length > 0 && notes?.[annotations.abandon] !== name;
  if (deletionTimestamp !== undefined && !needed) {
    if (pod !== undefined) return going ? [] : [{ do: 'deletePod', ...podRef }];
    return held.includes(finalizers.inUse) ? [{ do: 'release' }] : [];
  }
  const isHeld = held.includes(finalizers.inUse) || deletionTimestamp !== undefined;
  const hold: CoreAction[] = isHeld ? [] : [{ do: 'hold' }];
  if (refusal !== undefined || going) return hold;
  const accounts = served(world);
  if (pod === undefined) {
    const say = { reason: eventReasons.podCreated, message: `made pod ${podRef.name}` };
    return [
      ...hold,
      { do: 'createPod', pod: corePod(core, accounts, images), config: coreConfig(core, accounts), say },
    ];
  }
  const ended = pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded';
  const other = pod.metadata?.annotations?.[annotations.podHash] !== corePodHash(core, accounts);
  if (!ended && !other) return hold;
  const why = ended ? `it is ${pod.status?.phase}` : 'the core or its accounts were changed';
  const say = { reason: eventReasons.podReplaced, message: `replacing pod ${podRef.name}: ${why}` };
  return [...hold, { do: 'deletePod', ...podRef, say }];
}

/** Of a core that is not there: the code that it ended with last, and its last line, which says why. */
function howItEnded(pod: Pod | undefined): string {
  const container = pod?.status?.containerStatuses?.find(({ name }) => name === 'core');
  const ended = container?.state.terminated ?? container?.lastState.terminated;
  if (ended === undefined) return '';
  const said = ended.message?.trimEnd().split('\n').at(-1)?.slice(0, 1_000) ?? '';
  return `, not ready; the core ended with exit code ${ended.exitCode}${said === '' ? '' : `: ${said}`}`;
}

function statusFor(
  world: CoreWorld,
  refusal: Refusal | undefined,
  before: ExecutionCoreStatus | undefined,
): ExecutionCoreStatus {
  const { core, pod, instances, now } = world;
  const observedGeneration = core.metadata.generation ?? 0;
  const ready =
    pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
  const accepted = setCondition(
    before?.conditions,
    refusal === undefined
      ? {
          type: types.accepted,
          status: 'True',
          reason: reasons.valid,
          message: 'everything it refers to is there',
          observedGeneration,
        }
      : { type: types.accepted, ...refusal, observedGeneration },
    now,
  );
  const held = core.metadata.deletionTimestamp !== undefined && instances.length > 0;
  const message = held
    ? `deletion waits for ${instances.map(({ metadata }) => metadata.name).join(', ')}`.slice(0, 4000)
    : `pod ${corePodName(core.metadata.name)} is ${ready ? 'ready' : (pod?.status?.phase ?? 'not there yet')}${ready ? '' : howItEnded(pod)}`;
  const conditions = setCondition(
    accepted,
    {
      type: types.ready,
      status: ready ? 'True' : 'False',
      reason: ready ? reasons.podReady : reasons.podPending,
      message,
      observedGeneration,
    },
    now,
  );
  const { pod: _pod, node: _node, ...agents } = before ?? {};
  const node = pod?.spec?.nodeName;
  return {
    ...agents,
    observedGeneration,
    conditions: [...conditions],
    ...(pod === undefined ? {} : { pod: corePodName(core.metadata.name) }),
    ...(node === undefined ? {} : { node }),
  };
}

import { setTimeout as delay } from 'node:timers/promises';
import type { Halt } from '@flashpod/crds';
import { FlashpodError } from '../errors.js';
import { type Selection, selectionOf } from '../halt/selects.js';
import type { KubeClient } from '../kube/index.js';
import { resourceOf } from './kinds.js';
import { UsageError } from './usage.js';

export interface HaltFlags {
  all?: boolean;
  strategy?: string[];
  account?: string[];
  core?: string[];
  action: string;
  reason?: string;
  name?: string;
}

export const actions = ['Block', 'Cancel', 'Flatten'] as const;
const pollMs = 20;

function selectorOf(flags: HaltFlags): Halt['spec']['selector'] {
  const { all, strategy = [], account = [], core = [] } = flags;
  if (all && strategy.length + account.length + core.length > 0) {
    throw new UsageError('--all', 'true', 'either --all, or --strategy, --account and --core');
  }
  if (all) return { all: true };
  if (strategy.length + account.length + core.length === 0) {
    throw new UsageError('selector', '', '--all, or at least one --strategy, --account or --core');
  }
  return {
    ...(strategy.length > 0 ? { strategies: strategy } : {}),
    ...(account.length > 0 ? { accounts: account } : {}),
    ...(core.length > 0 ? { cores: core } : {}),
  };
}

/** The Halt that the flags ask for. */
export function haltFrom(flags: HaltFlags, namespace: string, now: Date): Halt {
  const action = actions.find((candidate) => candidate.toLowerCase() === flags.action.toLowerCase());
  if (!action) throw new UsageError('--action', flags.action, `one of ${actions.join(', ')}`);
  const stamp = now
    .toISOString()
    .replaceAll(/[-:.TZ]/g, '')
    .slice(0, 17);
  return {
    apiVersion: 'trading.flashpod.dev/v1alpha1',
    kind: 'Halt',
    metadata: { name: flags.name ?? `halt-${stamp}`, namespace },
    spec: { selector: selectorOf(flags), action, reason: flags.reason ?? 'flashpod halt' },
  };
}

/** What a halt would select now, asked here: an operator that would say so may be dead. */
export async function readSelection(client: KubeClient, halt: Halt, namespace: string): Promise<Selection> {
  const [strategies, accounts, cores] = await Promise.all([
    client.of(resourceOf('TradingStrategy')).list({ namespace }),
    client.of(resourceOf('TradingAccount')).list({ namespace }),
    client.of(resourceOf('ExecutionCore')).list({ namespace }),
  ]);
  return selectionOf(halt, {
    namespace,
    strategies: strategies.items,
    accounts: accounts.items,
    cores: cores.items,
  });
}

function done(halt: Halt): boolean {
  const reached = halt.status?.reached ?? [];
  return (
    reached.length > 0 &&
    reached.every(
      (core) =>
        core.blockedAt !== undefined && (halt.spec.action === 'Block' || core.cancelsSentAt !== undefined),
    )
  );
}

/** Waits until at least one core says that the halt is in force there, and that its cancels were sent. */
export async function waitReached(
  client: KubeClient,
  name: string,
  namespace: string,
  withinMs: number,
): Promise<Halt> {
  const api = client.of(resourceOf('Halt'));
  const until = Date.now() + withinMs;
  for (;;) {
    const halt = await api.get({ name, namespace });
    if (done(halt)) return halt;
    if (Date.now() >= until) {
      throw new FlashpodError(
        'cli.not-reached',
        `Halt "${name}" was stored, but no core reported it within ${withinMs / 1_000} s`,
        {
          remedy:
            'Check the core and its agent; the halt stays in force for every core that comes to see it.',
        },
      );
    }
    await delay(pollMs);
  }
}

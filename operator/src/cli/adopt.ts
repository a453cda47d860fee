import { setTimeout as delay } from 'node:timers/promises';
import type { TradingAccount } from '@flashpod/crds';
import { annotations } from '../api/names.js';
import { FlashpodError } from '../errors.js';
import type { KubeClient } from '../kube/index.js';
import { resourceOf } from './kinds.js';

export interface Adopted {
  readonly name: string;
  readonly request: string;
  /** What differed when it was asked for, in words. */
  readonly difference: string;
  readonly amounts: readonly { readonly asset: string; readonly amount: string }[];
}

export interface AdoptTimes {
  readonly now: Date;
  readonly withinMs: number;
  readonly pollMs?: number;
}

/** Accepts the difference between an account's balances and its ledger, and waits until its core has taken it in. */
export async function adopt(
  client: KubeClient,
  key: { namespace: string; name: string },
  { now, withinMs, pollMs = 100 }: AdoptTimes,
): Promise<Adopted> {
  const api = client.of(resourceOf('TradingAccount'));
  const before = await api.get(key);
  const difference = before.status?.auditDifference ?? '';
  if (difference === '') {
    const seen = before.status?.auditedAt === undefined ? 'it was not audited yet' : 'the last audit agreed';
    throw new FlashpodError(
      'cli.nothing-to-adopt',
      `TradingAccount "${key.name}" differs from its ledger in nothing: ${seen}`,
    );
  }
  const request = now.toISOString();
  await api.mergePatch(key, { metadata: { annotations: { [annotations.adopt]: request } } });
  const until = Date.now() + withinMs;
  let account: TradingAccount = before;
  while (account.status?.adoption?.request !== request) {
    if (Date.now() >= until) {
      throw new FlashpodError(
        'cli.not-adopted',
        `TradingAccount "${key.name}": no core took the difference in within ${withinMs / 1_000} s: ` +
          (account.status?.auditDifference ?? difference),
      );
    }
    await delay(pollMs);
    account = await api.get(key);
  }
  return { name: key.name, request, difference, amounts: account.status.adoption.amounts ?? [] };
}

export function renderAdopted({ name, difference, amounts }: Adopted): string {
  const lines = amounts.map(({ asset, amount }) => `  ${asset} ${amount} is unassigned now`);
  return [`account/${name} adopted: ${difference}`, ...lines].join('\n');
}

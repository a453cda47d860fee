import type { DeletionPolicy, StrategyInstance } from '@flashpod/crds';

/**
 * Whether what the core proved is what the policy asks for. Judged by the facts, not by the policy named in the
 * proof: the policy may have been changed since.
 */
export function stopIsProven(policy: DeletionPolicy, instance: StrategyInstance): boolean {
  const proof = instance.status?.proof;
  if (proof?.provenAt === undefined) return false;
  switch (policy) {
    case 'Flatten':
      return proof.noOpenOrders && proof.flat;
    case 'CancelOnly':
      return proof.noOpenOrders;
    case 'Orphan':
      return true;
  }
}

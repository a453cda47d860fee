import type { Pod } from '../../kube/pod.js';

/** Why the pod cannot run on a node with these labels; undefined when it can. */
export function unschedulable(pod: Pod, labels: Readonly<Record<string, string>>): string | undefined {
  const missing = Object.entries(pod.spec?.nodeSelector ?? {}).filter(
    ([key, value]) => labels[key] !== value,
  );
  if (missing.length === 0) return undefined;
  const selector = missing.map(([key, value]) => `${key}=${value}`).join(',');
  return `0/1 nodes are available: 1 node(s) didn't match the node selector ${selector}`;
}

import type { Container, Pod, Probe, Volume } from '../../kube/pod.js';

/**
 * Fields that would change what the pod does and that a process cannot honour. A pod that uses one is failed with
 * the list, rather than run as something else than what it says. What is passed over because it only narrows what
 * the process may do or use (security contexts, CPU, affinity) is listed in the README.
 */
export function unsupportedFields(pod: Pod): string[] {
  const spec = pod.spec;
  if (spec === undefined) return ['spec is missing'];
  const found: string[] = [];
  for (const volume of spec.volumes ?? []) {
    const kind = Object.keys(volume).find((key) => key !== 'name' && !VOLUMES.has(key as keyof Volume));
    if (kind !== undefined)
      found.push(`volume ${volume.name}: ${kind} (supported: ${[...VOLUMES].join(', ')})`);
  }
  for (const container of [...(spec.initContainers ?? []), ...spec.containers])
    found.push(...unsupportedIn(container));
  if ('ephemeralContainers' in spec) found.push('ephemeralContainers');
  return found;
}

const VOLUMES: ReadonlySet<keyof Volume> = new Set(['emptyDir', 'hostPath', 'secret', 'configMap']);

function unsupportedIn(container: Container): string[] {
  const found: string[] = [];
  const where = `container ${container.name}`;
  if (container.command !== undefined) found.push(`${where}: command (a path inside the image; use args)`);
  for (const field of ['envFrom', 'lifecycle', 'volumeDevices'] as const) {
    if (field in container) found.push(`${where}: ${field}`);
  }
  for (const field of ['readinessProbe', 'livenessProbe', 'startupProbe'] as const) {
    const probe: Probe | undefined = container[field];
    if (probe !== undefined && probe.httpGet === undefined)
      found.push(`${where}: ${field} other than httpGet`);
  }
  return found;
}

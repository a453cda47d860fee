import type { Json, JsonObject } from '../json.js';
import type { KindRules } from './kind.js';

const PROTECTED_NAMESPACES = new Set(['default', 'kube-system', 'kube-public']);

export const namespaceRules: KindRules = {
  create: (object) => ({ ...object, spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } }),
  update: (object, old) => ({ ...object, spec: old['spec'] ?? {} }),
  refuseDelete: (object) =>
    PROTECTED_NAMESPACES.has(object.metadata.name) ? 'this namespace may not be deleted' : undefined,
  onDelete: (object) => ({ ...object, status: { phase: 'Terminating' } }),
  // The content goes first; who empties the namespace takes the finalizer away.
  isGone: (object) =>
    ((object['spec'] as JsonObject | undefined)?.['finalizers'] as Json[] | undefined)?.length === 0,
};

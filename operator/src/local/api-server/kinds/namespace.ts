import { timestamp } from '../../../kube/conditions.js';
import { isObject, type Json, type JsonObject } from '../json.js';
import type { KindRules } from './kind.js';

const PROTECTED_NAMESPACES = new Set(['default', 'kube-system', 'kube-public']);
/** Lets selectors find a namespace by its name. */
const NAME_LABEL = 'kubernetes.io/metadata.name';

export const namespaceRules: KindRules = {
  admit: (object) => {
    const { name, labels } = object.metadata;
    // Without a name yet, it is made from generateName: the label follows with the next write.
    if (name === '') return object;
    const withName = { ...(isObject(labels) ? labels : {}), [NAME_LABEL]: name };
    return { ...object, metadata: { ...object.metadata, labels: withName } };
  },
  create: (object) => ({ ...object, spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } }),
  update: (object, old) => ({ ...object, spec: old['spec'] ?? {} }),
  refuseDelete: (object) =>
    PROTECTED_NAMESPACES.has(object.metadata.name) ? 'this namespace may not be deleted' : undefined,
  onDelete: (object) => ({ ...object, status: { phase: 'Terminating' } }),
  endsByContent: true,
  // The content goes first; who empties the namespace takes the finalizer away.
  isGone: (object) =>
    ((object['spec'] as JsonObject | undefined)?.['finalizers'] as Json[] | undefined)?.length === 0,
};

/** What the namespace controller reports when nothing is left in a namespace. */
const FINDINGS = [
  ['NamespaceDeletionDiscoveryFailure', 'ResourcesDiscovered', 'All resources successfully discovered'],
  [
    'NamespaceDeletionGroupVersionParsingFailure',
    'ParsedGroupVersions',
    'All legacy kube types successfully parsed',
  ],
  [
    'NamespaceDeletionContentFailure',
    'ContentDeleted',
    'All content successfully deleted, may be waiting on finalization',
  ],
  ['NamespaceContentRemaining', 'ContentRemoved', 'All content successfully removed'],
  ['NamespaceFinalizersRemaining', 'ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
] as const;

export function terminated(status: JsonObject, now: Date): JsonObject {
  const conditions = FINDINGS.map(
    ([type, reason, message]): JsonObject => ({
      type,
      status: 'False',
      lastTransitionTime: timestamp(now),
      reason,
      message,
    }),
  );
  return { ...status, conditions };
}

import { timestamp } from '../../kube/conditions.js';
import { preconditionFailed } from './api-error.js';
import type { ApiObject, Kind } from './kinds/kind.js';

export type Propagation = 'Background' | 'Foreground' | 'Orphan';

export interface DeleteWish {
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly graceSeconds?: number;
  readonly propagation: Propagation;
  readonly dryRun: boolean;
}

/** Keeps an object until those that it owns are gone, or no longer owned; the collector takes them away. */
export const PROPAGATION_FINALIZERS: Readonly<Record<Exclude<Propagation, 'Background'>, string>> = {
  Foreground: 'foregroundDeletion',
  Orphan: 'orphan',
};

export function checkPreconditions(kind: Kind, { metadata }: ApiObject, wish: DeleteWish): void {
  const { uid, resourceVersion, name } = metadata;
  if (wish.uid !== undefined && wish.uid !== uid) {
    throw preconditionFailed(
      kind,
      name,
      `the UID in the precondition (${wish.uid}) does not match the UID in record (${String(uid)}). The object might have been deleted and then recreated`,
    );
  }
  if (wish.resourceVersion !== undefined && wish.resourceVersion !== resourceVersion) {
    throw preconditionFailed(
      kind,
      name,
      `the ResourceVersion in the precondition (${wish.resourceVersion}) does not match the ResourceVersion in record (${String(resourceVersion)}). The object might have been modified`,
    );
  }
}

/** With the time of its deletion; the object itself when it had that already and no less grace. */
export function markDeleted(
  kind: Kind,
  object: ApiObject,
  requestedGrace: number | undefined,
  propagation: Propagation = 'Background',
): ApiObject {
  const before = object.metadata['deletionGracePeriodSeconds'] as number | undefined;
  const wanted = kind.rules.grace?.(object, requestedGrace) ?? 0;
  // A second delete may shorten the grace period, never lengthen it.
  const grace =
    before === undefined ? wanted : requestedGrace === undefined ? before : Math.min(before, wanted);
  const first = object.metadata['deletionTimestamp'] === undefined;
  if (!first && (before === undefined || grace === before)) return object;
  const byContent = kind.rules.endsByContent === true;
  const generation = object.metadata['generation'];
  const marked: ApiObject = {
    ...object,
    metadata: {
      ...object.metadata,
      deletionTimestamp: timestamp(new Date(Date.now() + grace * 1000)),
      ...(byContent ? {} : { deletionGracePeriodSeconds: grace }),
      ...(first && !byContent && typeof generation === 'number' ? { generation: generation + 1 } : {}),
      ...(first && propagation !== 'Background' ? withFinalizer(object, propagation) : {}),
    },
  };
  return first ? (kind.rules.onDelete?.(marked) ?? marked) : marked;
}

function withFinalizer({ metadata }: ApiObject, propagation: Exclude<Propagation, 'Background'>) {
  const finalizers = Array.isArray(metadata['finalizers']) ? metadata['finalizers'] : [];
  return { finalizers: [...finalizers, PROPAGATION_FINALIZERS[propagation]] };
}

// The Flashpod API: types, where each kind is served, and where the YAML lies.

import { fileURLToPath } from 'node:url';

export { type Kind, kinds, type ObjectByKind } from './kinds.generated.js';
export type { ObjectBase, ObjectMeta, OwnerReference } from './object.js';
export * from './types.generated.js';

/** Folder of the CustomResourceDefinitions, one YAML a kind. */
export const crdDirectory = fileURLToPath(new URL('../', import.meta.url));
/** Folder of the sample manifests. */
export const samplesDirectory = fileURLToPath(new URL('../samples/', import.meta.url));

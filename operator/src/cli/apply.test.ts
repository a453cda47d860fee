import { expect, test } from 'vitest';
import type { KubeObject, Stored } from '../kube/index.js';
import { withManifest } from './apply.js';

const stored = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', namespace: 'default', uid: 'u', resourceVersion: '7', finalizers: ['x/y'] },
  data: { old: '1' },
} as unknown as Stored<KubeObject>;
const manifest = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { new: '2' } };

test('a manifest replaces all but what the server and others keep in the metadata', () => {
  expect(withManifest(stored, manifest)).toEqual({ ...stored, data: { new: '2' } });
});

test('labels are added to those that are there', () => {
  const labelled = { ...stored, metadata: { ...stored.metadata, labels: { team: 'a' } } };
  const wanted = { ...manifest, metadata: { name: 'a', labels: { desk: 'b' } } };
  expect(withManifest(labelled, wanted).metadata?.labels).toEqual({ team: 'a', desk: 'b' });
});

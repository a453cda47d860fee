import { describe, expect, it } from 'vitest';
import { environmentOf, expand } from './environment.js';
import { repositoryOf } from './images.js';

const sources = {
  podIP: '127.1.0.1',
  hostIP: '127.0.0.1',
  nodeName: 'n',
  secret: () => undefined,
  configMap: () => ({ a: 'b' }),
};
const pod = { metadata: { name: 'p', annotations: { 'example.com/x': 'y' } } };
const env = (entry: object) =>
  environmentOf(pod, { name: 'c', image: 'i', env: [{ name: 'V', ...entry }] }, sources);

describe('an environment', () => {
  it.each([
    ['$(A)', '1'],
    ['x$(A)y$(B)', 'x1y$(B)'],
    ['$$(A)', '$(A)'],
    ['$A', '$A'],
    ['cost: 5$', 'cost: 5$'],
  ])('expands %s to %s', (text, expected) => {
    expect(expand(text, { A: '1' })).toBe(expected);
  });

  it('knows annotations', () => {
    expect(env({ valueFrom: { fieldRef: { fieldPath: "metadata.annotations['example.com/x']" } } })).toEqual({
      V: 'y',
    });
  });

  it.each([
    [{ valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }, 'secret "s" not found'],
    [{ valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } }, "couldn't find key k in configmap c"],
    [
      { valueFrom: { fieldRef: { fieldPath: 'spec.restartPolicy' } } },
      'fieldPath "spec.restartPolicy" is not supported',
    ],
    [{ valueFrom: { resourceFieldRef: {} } }, 'valueFrom must be fieldRef, secretKeyRef or configMapKeyRef'],
  ])('refuses %j', (entry, message) => {
    expect(() => env(entry)).toThrow(message);
  });
});

describe('an image', () => {
  it.each([
    ['flashpod/core:1.2', 'flashpod/core'],
    ['flashpod/core', 'flashpod/core'],
    ['localhost:5000/core@sha256:abc', 'localhost:5000/core'],
    ['localhost:5000/core', 'localhost:5000/core'],
  ])('%s is of the repository %s', (image, repository) => {
    expect(repositoryOf(image)).toBe(repository);
  });
});

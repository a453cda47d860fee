import { describe, expect, it } from 'vitest';
import type { ConfigMap } from './resources.js';
import { Store } from './store.js';
import { configMap } from './testing/scripted-server.js';
import type { Stored } from './types.js';

const object = (name: string, owner: string) =>
  configMap(name, `u-${name}`, '1', { owner }) as Stored<ConfigMap>;

describe('a store', () => {
  it('files objects under every value of an index and moves them when they change', () => {
    const store = new Store<ConfigMap>();
    store.set(object('early', 'x'));
    store.addIndex('owner', ({ data }) => (data?.['owner'] ?? '').split(','));
    store.set(object('a', 'x,y'));
    const names = (owner: string) => store.byIndex('owner', owner).map(({ metadata }) => metadata.name);
    expect(names('x')).toEqual(['early', 'a']);
    expect(names('y')).toEqual(['a']);
    store.set(object('a', 'z'));
    expect([names('x'), names('y'), names('z')]).toEqual([['early'], [], ['a']]);
    store.delete('ns/early');
    expect(names('x')).toEqual([]);
    expect(store.size).toBe(1);
  });

  it('names the indexes there are when asked for another', () => {
    const store = new Store<ConfigMap>();
    store.addIndex('owner', () => []);
    expect(() => store.byIndex('core', 'x')).toThrow('no index "core"; there are: owner');
  });
});

import { describe, expect, it } from 'vitest';
import { MountTable } from './mounts.js';

const table = new MountTable(
  [
    { mountPath: '/etc/app', target: '/r/v/app' },
    { mountPath: '/etc/app/keys/main', target: '/r/v/main' },
    { mountPath: '/var/lib/x', target: '/r/host/x' },
  ],
  '/r/c/main',
);

describe('paths of a container', () => {
  it.each([
    ['/etc/app', '/r/v/app'],
    ['/etc/app/', '/r/v/app'],
    ['/etc/app/file.json', '/r/v/app/file.json'],
    ['/etc/app/keys/main/apiKey', '/r/v/main/apiKey'],
    ['/etc/application', '/etc/application'],
    ['/var/lib', '/r/c/main/var/lib'],
    ['/', '/'],
    ['/usr/bin/env', '/usr/bin/env'],
    ['relative/etc/app', 'relative/etc/app'],
  ])('%s is %s', (path, expected) => {
    expect(table.path(path)).toBe(expected);
  });

  it.each([
    ['--config=/etc/app/core.json', '--config=/r/v/app/core.json'],
    ['unix:/var/lib/x/core.sock', 'unix:/r/host/x/core.sock'],
    ['unix:///var/lib/x/core.sock', 'unix:///r/host/x/core.sock'],
    ['--socket=unix:/var/lib/x/s', '--socket=unix:/r/host/x/s'],
    ['https://example.com/etc/app', 'https://example.com/etc/app'],
    ['//etc/app', '//etc/app'],
    ['text with /etc/app inside', 'text with /etc/app inside'],
  ])('within the text %s', (text, expected) => {
    expect(table.text(text)).toBe(expected);
  });
});

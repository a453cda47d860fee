import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { eventually } from '../../kube/testing/eventually.js';
import type { StateRecord } from './state/records.js';
import { StateDirectory } from './state/state-directory.js';
import { WIDGET_CRD } from './testing/crd.js';
import { CONFIG_MAPS, TestServer, WIDGETS } from './testing/server.js';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
let stateDir: string;
let server: TestServer;

beforeEach(async () => {
  stateDir = mkdtempSync(join(tmpdir(), 'fpf-'));
  server = await TestServer.start('', { stateDir });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await server.stop();
  rmSync(stateDir, { recursive: true });
});

/** The disk takes no record of that sort; how often it did not. */
function refuse(sort: (record: StateRecord) => boolean, times = Number.POSITIVE_INFINITY): () => number {
  const append = StateDirectory.prototype.append;
  let refused = 0;
  vi.spyOn(StateDirectory.prototype, 'append').mockImplementation(function (this: StateDirectory, record) {
    if (refused < times && sort(record)) {
      refused += 1;
      throw new Error('ENOSPC: no space left on device, write');
    }
    append.call(this, record);
  });
  return () => refused;
}

it('a write for which the disk has no room is refused, and has not happened', async () => {
  refuse(({ key }) => key === 'default/a');
  const { status, body } = await server.call('POST', CONFIG_MAPS, { metadata: { name: 'a' } });
  expect([status, body.reason]).toEqual([500, 'InternalError']);
  expect(body.message).toContain('the state cannot be written: ENOSPC');
  expect((await server.call('GET', `${CONFIG_MAPS}/a`)).status).toBe(404);
  expect(readFileSync(join(stateDir, 'objects.0.log'), 'utf8')).not.toContain('"default/a"');
});

it('a definition for which the disk has no room is not served', async () => {
  refuse(({ key }) => key === 'widgets.test.example.com');
  expect((await server.call('POST', CRDS, parse(WIDGET_CRD))).status).toBe(500);
  expect((await server.call('GET', WIDGETS)).status).toBe(404);
});

it('what the collector cannot write now it writes later', async () => {
  const { body: owner } = await server.call('POST', CONFIG_MAPS, { metadata: { name: 'owner' } });
  const { name, uid } = owner.metadata;
  const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name, uid }];
  await server.call('POST', CONFIG_MAPS, { metadata: { name: 'owned', ownerReferences } });
  const refused = refuse(({ key }) => key === 'default/owned', 1);
  await server.call('DELETE', `${CONFIG_MAPS}/owner`);
  await eventually(
    async () => (await server.call('GET', `${CONFIG_MAPS}/owned`)).status,
    (status) => status === 404,
  );
  expect(refused()).toBe(1);
});

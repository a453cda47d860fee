// The lease of an account against the embedded API server: what is said when, and what is kept back.

import { crdDirectory } from '@flashpod/crds';
import { type AccountStatus, AccountStatusSchema, create } from '@flashpod/proto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { accountLeaseName } from '../api/names.js';
import { TradingAccounts } from '../api/resources.js';
import { KubeClient, Leases } from '../kube/index.js';
import { type ApiServer, startApiServer } from '../local/index.js';
import { account, namespace } from '../testing/desk.js';
import { AccountLease, type Tenure } from './account-lease.js';
import type { UpBody } from './link.js';

let server: ApiServer;
let client: KubeClient;
let seen: AccountStatus;
const leases: AccountLease[] = [];

beforeEach(async () => {
  server = await startApiServer({ crdDir: crdDirectory });
  client = KubeClient.load({ kubeconfig: server.kubeconfigPath, qps: 1_000, burst: 1_000 });
  await client.of(TradingAccounts).create(account());
  seen = create(AccountStatusSchema, { account: 'main', ready: true, highestEpochSeen: 0n });
});
afterEach(async () => {
  await Promise.all(leases.splice(0).map((lease) => lease.stop(false)));
  await client.close();
  await server.stop();
});

function start(identity: string) {
  const sent: UpBody[] = [];
  const tenures: Tenure[] = [];
  const lease = new AccountLease({
    client,
    namespace,
    account: 'main',
    core: 'core',
    identity,
    spec: () => account().spec,
    seenByCore: () => seen,
    send: (body) => sent.push(body) > 0,
    onTenure: (tenure) => tenures.push(tenure),
  });
  leases.push(lease);
  lease.start();
  return { lease, sent, tenures };
}

async function eventually(holds: () => boolean): Promise<void> {
  const end = performance.now() + 5_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`never came true: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('an attempt is announced before it, and its success names the same attempt with the deadlines', async () => {
  const { sent, lease } = start('pod-1');
  await eventually(() => lease.tenure.state === 'Held');
  const renewed = sent.at(-1);
  const attempt = sent.at(-2);
  if (renewed?.case !== 'leaseRenewed' || attempt?.case !== 'leaseAttempt')
    throw new Error(JSON.stringify(sent.map((body) => body.case)));
  expect(renewed.value).toMatchObject({
    account: 'main',
    epoch: 1n,
    softDeadlineMs: 35_000n,
    hardDeadlineMs: 55_000n,
  });
  expect(renewed.value.attempt).toBe(attempt.value.attempt);
});

test('no epoch is taken before the core has reconciled', async () => {
  seen = create(AccountStatusSchema, { account: 'main', ready: false });
  const { sent, lease, tenures } = start('pod-1');
  await eventually(() => tenures.length > 0);
  expect(lease.tenure).toMatchObject({ state: 'Waiting', message: 'the core is still reconciling' });
  expect(sent).toEqual([]);
  expect(await client.of(Leases).find({ namespace, name: accountLeaseName('main') })).toBeUndefined();
  seen = create(AccountStatusSchema, { account: 'main', ready: true, highestEpochSeen: 9n });
  lease.hurry();
  await eventually(() => lease.tenure.state === 'Held');
  expect(lease.tenure).toEqual({ state: 'Held', epoch: 10 });
});

test('a second pod waits while the first renews, and sends its core nothing but attempts', async () => {
  const first = start('pod-1');
  await eventually(() => first.lease.tenure.state === 'Held');
  const second = start('pod-2');
  await eventually(() => second.tenures.length > 0);
  expect(second.lease.tenure).toEqual({ state: 'Other', holder: 'pod-1' });
  expect(second.sent.some((body) => body.case === 'leaseRenewed')).toBe(false);
});

test('a released account is taken over with the next epoch, and the former holder loses it', async () => {
  const first = start('pod-1');
  await eventually(() => first.lease.tenure.state === 'Held');
  await first.lease.stop(true);
  const second = start('pod-2');
  await eventually(() => second.lease.tenure.state === 'Held');
  expect(second.lease.tenure).toEqual({ state: 'Held', epoch: 2 });
  const third = start('pod-1');
  await eventually(() => third.tenures.length > 0);
  expect(third.lease.tenure).toEqual({ state: 'Other', holder: 'pod-2' });
});

test('without the API server nothing is renewed, and the tenure says so', async () => {
  const { lease, sent } = start('pod-1');
  await eventually(() => lease.tenure.state === 'Held');
  await server.stop();
  const renewals = sent.filter((body) => body.case === 'leaseRenewed').length;
  lease.hurry();
  await eventually(() => lease.tenure.state === 'Unreachable');
  expect(lease.tenure).toMatchObject({ epoch: 1 });
  expect(sent.filter((body) => body.case === 'leaseRenewed')).toHaveLength(renewals);
  server = await startApiServer();
});

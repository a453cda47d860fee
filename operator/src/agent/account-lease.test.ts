// The lease of an account against the embedded API server: what is said when, and what is kept back.

import { crdDirectory, type TradingAccount } from '@flashpod/crds';
import { type AccountStatus, AccountStatusSchema, create } from '@flashpod/proto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { accountLeaseName } from '../api/names.js';
import { TradingAccounts } from '../api/resources.js';
import { type Clock, KubeClient, Leases, systemClock } from '../kube/index.js';
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
  numbers = account().spec.lease;
  refusal = undefined;
});
afterEach(async () => {
  await Promise.all(leases.splice(0).map((lease) => lease.stop(false)));
  await client.close();
  await server.stop();
});

let refusal: string | undefined;
type Lease = TradingAccount['spec']['lease'];
let numbers: Lease;

/** A minute passes in 0.3 s. */
const hasty: Clock = {
  ...systemClock,
  now: () => systemClock.now() * 200,
  after: (ms, fn) => systemClock.after(ms / 200, fn),
};

/** `core.hears`: a core that is stopped hears of nothing, and says so by saying nothing. */
function start(identity: string, clock = systemClock, core = { hears: true }) {
  const sent: UpBody[] = [];
  let heard = 0n;
  const tenures: Tenure[] = [];
  const lease = new AccountLease({
    client,
    namespace,
    account: 'main',
    core: 'core',
    identity,
    clock,
    spec: () => ({ ...account().spec, lease: numbers }),
    barred: () => refusal,
    seenByCore: () => ({ ...seen, leaseAttempt: heard }),
    send: (body) => {
      if (body.case === 'leaseAttempt' && core.hears) heard = body.value.attempt ?? 0n;
      queueMicrotask(() => lease.heard());
      return sent.push(body) > 0;
    },
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

test('nothing is asked of the API server before the core has heard of the attempt', async () => {
  const core = { hears: false };
  const { lease, sent, tenures } = start('pod-1', hasty, core);
  await eventually(() => tenures.length > 0);
  expect(lease.tenure).toEqual({ state: 'Waiting', message: 'the core does not answer' });
  expect(sent.every((body) => body.case === 'leaseAttempt')).toBe(true);
  expect(await client.of(Leases).find({ namespace, name: accountLeaseName('main') })).toBeUndefined();
  core.hears = true;
  await eventually(() => lease.tenure.state === 'Held');
});

test('a core that is stopped gets no renewal, however long its messages are kept for it', async () => {
  const core = { hears: true };
  const { lease, sent } = start('pod-1', hasty, core);
  await eventually(() => lease.tenure.state === 'Held');
  core.hears = false;
  await eventually(() => lease.tenure.state === 'Waiting');
  const renewed = (await stored()).spec?.renewTime;
  const renewals = sent.filter((body) => body.case === 'leaseRenewed').length;
  const attempts = sent.length;
  await eventually(() => sent.length >= attempts + 3);
  expect((await stored()).spec?.renewTime).toEqual(renewed);
  expect(sent.filter((body) => body.case === 'leaseRenewed')).toHaveLength(renewals);
});

test('what was announced on a stream that is gone is announced again on the next', async () => {
  const core = { hears: false };
  const { lease, sent } = start('pod-1', systemClock, core);
  await eventually(() => sent.length === 1);
  core.hears = true;
  lease.hurry();
  await eventually(() => lease.tenure.state === 'Held');
  expect(lease.tenure).toEqual({ state: 'Held', epoch: 1 });
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

test('an account that is another one at the exchange gets no Lease, and one that came to have it keeps it', async () => {
  refusal = 'account first has the same uid 17';
  const { lease, sent, tenures } = start('pod-1');
  await eventually(() => tenures.length > 0);
  expect(lease.tenure).toEqual({ state: 'Waiting', message: refusal });
  expect(sent).toEqual([]);
  expect(await client.of(Leases).find({ namespace, name: accountLeaseName('main') })).toBeUndefined();
  refusal = undefined;
  await eventually(() => lease.tenure.state === 'Held');
  // What it has begun must be ended, and needs the Lease for it.
  refusal = 'account first has the same uid 17';
  sent.length = 0;
  lease.hurry();
  await eventually(() => last(sent) !== undefined);
  expect(lease.tenure).toEqual({ state: 'Held', epoch: 1 });
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

const stored = () => client.of(Leases).get({ namespace, name: accountLeaseName('main') });
const last = (sent: UpBody[]) => sent.findLast((body) => body.case === 'leaseRenewed')?.value;

test('the Lease on record is never shorter than what a core was told it may write for', async () => {
  const { lease, sent } = start('pod-1');
  await eventually(() => lease.tenure.state === 'Held');
  expect((await stored()).spec?.leaseDurationSeconds).toBe(60);

  numbers = { durationSeconds: 120, renewSeconds: 5, softSeconds: 60, hardSeconds: 100 };
  lease.hurry();
  await eventually(() => last(sent)?.hardDeadlineMs === 100_000n);
  expect((await stored()).spec?.leaseDurationSeconds).toBe(120);

  // The core may not have heard of it, and has 100 s still: only the next holder begins with the shorter one.
  numbers = { durationSeconds: 30, renewSeconds: 5, softSeconds: 10, hardSeconds: 20 };
  lease.hurry();
  await eventually(() => last(sent)?.hardDeadlineMs === 20_000n);
  expect((await stored()).spec?.leaseDurationSeconds).toBe(120);
  await lease.stop(false);
  const again = start('pod-1');
  await eventually(() => again.lease.tenure.state === 'Held');
  expect((await stored()).spec?.leaseDurationSeconds).toBe(120);
});

test('a Lease that was deleted is made again by its holder, with the same epoch', async () => {
  const { lease, sent } = start('pod-1');
  await eventually(() => lease.tenure.state === 'Held');
  await client.of(Leases).delete({ namespace, name: accountLeaseName('main') });
  sent.length = 0;
  lease.hurry();
  await eventually(() => last(sent) !== undefined);
  expect(last(sent)?.epoch).toBe(1n);
  expect((await stored()).spec?.holderIdentity).toBe('pod-1');
});

test('without a Lease the holder that the account names gets its silence', async () => {
  const first = start('pod-1');
  await eventually(() => first.lease.tenure.state === 'Held');
  await first.lease.stop(false);
  await client.of(Leases).delete({ namespace, name: accountLeaseName('main') });
  const second = start('pod-2', hasty);
  await eventually(() => second.tenures.length > 0);
  expect(second.lease.tenure).toEqual({ state: 'Other', holder: 'pod-1' });
  expect(await client.of(Leases).find({ namespace, name: accountLeaseName('main') })).toBeUndefined();
  const began = hasty.now();
  await eventually(() => second.lease.tenure.state === 'Held');
  expect(hasty.now() - began).toBeGreaterThan(50_000);
  expect(second.lease.tenure).toEqual({ state: 'Held', epoch: 2 });
});

test('a core that reconciles while another holds the account knows whose it is', async () => {
  const first = start('pod-1');
  await eventually(() => first.lease.tenure.state === 'Held');
  seen = create(AccountStatusSchema, { account: 'main', ready: false });
  const second = start('pod-2');
  await eventually(() => second.tenures.length > 0);
  expect(second.lease.tenure).toEqual({ state: 'Other', holder: 'pod-1' });
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

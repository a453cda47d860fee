import type { TradingAccount, TradingAccountStatus } from '@flashpod/crds';
import { expect, test } from 'vitest';
import { account as sample } from '../testing/desk.js';
import { acceptAccount } from './accept.js';
import { secretOf, twinOf } from './twin.js';

const now = new Date('2026-01-03T00:00:00Z');
const days = { old: '2026-01-01T00:00:00Z', young: '2026-01-02T00:00:00Z' };

function account(
  name: keyof typeof days,
  secret: string,
  status?: TradingAccountStatus,
  metadata = {},
): TradingAccount {
  const { metadata: base, spec, ...rest } = sample();
  return {
    ...rest,
    metadata: { ...base, name, creationTimestamp: days[name], generation: 2, ...metadata },
    spec: { ...spec, credentialsSecretRef: { name: secret } },
    ...(status === undefined ? {} : { status }),
  };
}
const accepted = (credentialsSecret: string) => ({ credentialsSecret });

/** Names of those that have a twin which goes first. */
const refused = (...accounts: TradingAccount[]) =>
  accounts.filter((one) => twinOf(one, accounts)).map(({ metadata }) => metadata.name);

test('of two accounts with one Secret the younger is refused', () => {
  expect(refused(account('old', 's'), account('young', 's'))).toEqual(['young']);
  expect(refused(account('old', 's'), account('young', 't'))).toEqual([]);
});

test('accounts of different namespaces have different Secrets', () => {
  expect(refused(account('old', 's'), account('young', 's', undefined, { namespace: 'other' }))).toEqual([]);
});

test('whoever was accepted with a Secret keeps it, though an older account comes to name it', () => {
  const old = account('old', 's', accepted('r'));
  const young = account('young', 's', accepted('s'));
  expect(refused(old, young)).toEqual([]);
  const verdict = acceptAccount(old, [old, young], now);
  expect(verdict.problem).toBe(
    'spec.credentialsSecretRef.name: "s" is not accepted, since account young has this Secret and one exchange ' +
      'account cannot have two ledgers; accepted: a Secret with keys of another exchange account (it goes on with "r")',
  );
  expect(secretOf({ ...old, status: verdict.status(old.status) })).toBe('r');
  expect(acceptAccount(young, [old, young], now).problem).toBeUndefined();
});

test('accepted both by a race, the one that has been written for goes on, else the older', () => {
  const both = [account('old', 's', accepted('s')), account('young', 's', accepted('s'))] as const;
  expect(refused(...both)).toEqual(['young']);
  expect(refused(both[0], account('young', 's', { ...accepted('s'), epoch: 1 }))).toEqual(['old']);
});

test('two Secrets with keys of one account at the exchange are told by its number', () => {
  const uid = (secret: string, venueUid: string, epoch = 0) => ({ ...accepted(secret), venueUid, epoch });
  const old = account('old', 's', uid('s', '17'));
  expect(refused(old, account('young', 't', uid('t', '18')))).toEqual([]);
  expect(refused(old, account('young', 't', uid('t', '17')))).toEqual(['young']);
  expect(refused(old, account('young', 't', uid('t', '17', 3)))).toEqual(['old']);
  const young = account('young', 't', uid('t', '17'));
  expect(acceptAccount(young, [old, young], now).problem).toContain('account old has the same uid 17');
});

test('accounts without keys are nobody’s twins, and one that gives its keys up has none', () => {
  const keyless = (name: keyof typeof days, status = {}): TradingAccount => {
    const { spec, ...object } = account(name, 's');
    const { credentialsSecretRef: _, ...rest } = spec;
    return { ...object, spec: rest, status };
  };
  const [a, b] = [keyless('old'), keyless('young', accepted('s'))];
  expect(refused(a, b)).toEqual([]);
  const { problem, status } = acceptAccount(b, [a, b], now);
  expect(problem).toBeUndefined();
  expect(status(b.status)).not.toHaveProperty('credentialsSecret');
  expect(status(b.status).conditions?.[0]?.message).toBe('it has no keys: Paper and Shadow only');
});

test('the same number at another exchange is another account', () => {
  const old = account('old', 's', { ...accepted('s'), venueUid: '17' });
  const elsewhere = account('young', 't', { ...accepted('t'), venueUid: '17' });
  elsewhere.spec.endpoints = { rest: 'https://127.0.0.1:2', ws: 'wss://127.0.0.1:2/ws' };
  expect(refused(old, elsewhere)).toEqual([]);
});

test('an account that stands alone is accepted with its Secret, and with another one later', () => {
  const alone = account('old', 's', accepted('r'));
  const { status, problem } = acceptAccount(alone, [alone], now);
  expect(problem).toBeUndefined();
  expect(status({ ...alone.status, epoch: 4 })).toMatchObject({
    epoch: 4,
    credentialsSecret: 's',
    conditions: [{ type: 'Accepted', status: 'True', reason: 'Valid', observedGeneration: 2 }],
  });
});

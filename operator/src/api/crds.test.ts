// The CRDs judge objects as a real API server would: through the embedded one, over HTTP.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crdDirectory, kinds, samplesDirectory } from '@flashpod/crds';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { defineResource, KubeClient, type KubeObject, type MergePatch } from '../kube/index.js';
import { type ApiServer, startApiServer } from '../local/index.js';

let server: ApiServer;
let client: KubeClient;
let count = 0;

beforeAll(async () => {
  server = await startApiServer({ crdDir: crdDirectory });
  client = KubeClient.load({ kubeconfig: server.kubeconfigPath, qps: 1_000, burst: 1_000 });
});
afterAll(async () => {
  await client.close();
  await server.stop();
});

type Spec = Record<string, unknown>;
type Stored = KubeObject & { spec: Spec; status?: unknown };

const clientOf = (kind: keyof typeof kinds) =>
  client.of(defineResource<Stored>({ ...kinds[kind], namespaced: true }));

async function create(kind: keyof typeof kinds, spec: Spec, name = `object-${count++}`) {
  return clientOf(kind).create({ metadata: { name, namespace: 'default' }, spec });
}

const strategy = (change: Spec = {}): Spec => ({
  strategy: 'imbalance-maker',
  symbols: ['BTCUSDC'],
  accountRef: { name: 'main' },
  mode: 'Live',
  risk: { maxOrderNotional: '100', maxPositionNotional: '1000' },
  capital: [{ asset: 'USDC', amount: '1000' }],
  ...change,
});
const endpoints = { rest: 'https://127.0.0.1:1', ws: 'wss://127.0.0.1:1/ws' };
const account = (change: Spec = {}): Spec => ({
  venue: 'mexc-spot',
  environment: 'Simulated',
  endpoints,
  credentialsSecretRef: { name: 'keys' },
  ...change,
});

test('the samples are accepted as they are', async () => {
  const files = readdirSync(samplesDirectory).sort();
  expect(files).toEqual([
    'account.yaml',
    'core.yaml',
    'halt.yaml',
    'imbalance-maker.yaml',
    'momentum-taker.yaml',
    'touch-maker.yaml',
  ]);
  for (const file of files) {
    for (const document of parseAllDocuments(readFileSync(join(samplesDirectory, file), 'utf8'))) {
      const { kind, metadata, spec } = document.toJS() as {
        kind: keyof typeof kinds;
        metadata: { name: string };
        spec: Spec;
      };
      await create(kind, spec, metadata.name);
    }
  }
});

test('what a strategy leaves out has the documented defaults', async () => {
  const { spec } = await create('TradingStrategy', strategy({ mode: undefined }));
  expect(spec).toMatchObject({
    mode: 'Paper',
    parameters: {},
    deletionPolicy: 'Flatten',
    onSidecarLoss: { action: 'Cancel', afterMs: 3000 },
    suspended: false,
    risk: { maxOpenOrders: 20, maxOrderRate: 8, priceCollarBps: 100, maxDataAgeMs: 3000 },
  });
});

test('an account and a core get the documented defaults', async () => {
  const { spec } = await create('TradingAccount', account());
  expect(spec).toMatchObject({
    allowLive: false,
    lease: { durationSeconds: 60, renewSeconds: 5, softSeconds: 35, hardSeconds: 55 },
  });
  expect((await create('ExecutionCore', { accounts: ['main'] })).spec).toMatchObject({
    cpus: 1,
    pollMode: 'Park',
    metricsPort: 0,
    stopPolicy: 'Cancel',
    journal: { segmentMiB: 64, keepMiB: 2048 },
  });
});

test('a core that says one size of its journal gets the default of the other', async () => {
  const { spec } = await create('ExecutionCore', { accounts: ['main'], journal: { segmentMiB: 8 } });
  expect(spec).toMatchObject({ journal: { segmentMiB: 8, keepMiB: 2048 } });
});

describe('an ExecutionCore is refused', () => {
  test.each<[string, Spec, RegExp]>([
    ['without accounts', { accounts: [] }, /spec\.accounts/],
    ['with an account twice', { accounts: ['main', 'main'] }, /spec\.accounts\[1\].*[Dd]uplicate/],
    ['with journal files of nothing', { journal: { segmentMiB: 0 } }, /spec\.journal\.segmentMiB.*1/],
    ['with journal files too large', { journal: { segmentMiB: 513 } }, /spec\.journal\.segmentMiB.*512/],
    [
      'with a journal of fewer than four files',
      { journal: { segmentMiB: 64, keepMiB: 255 } },
      /keepMiB must be at least four times segmentMiB/,
    ],
    [
      'with a journal beyond 16 TiB',
      { journal: { keepMiB: 16_777_217 } },
      /spec\.journal\.keepMiB.*16777216/,
    ],
    ['with a size in text', { journal: { keepMiB: '2Gi' } }, /spec\.journal\.keepMiB.*integer/],
  ])('%s', async (_, change, message) => {
    await expect(create('ExecutionCore', { accounts: ['main'], ...change })).rejects.toThrow(message);
  });
});

const risk = (maxOrderNotional: unknown, maxPositionNotional: unknown = '1000') => ({
  risk: { maxOrderNotional, maxPositionNotional },
});

const limit = (more: Spec) => ({ risk: { maxOrderNotional: '100', maxPositionNotional: '1000', ...more } });

describe('a TradingStrategy is refused', () => {
  const cases: [string, Spec, RegExp][] = [
    ['without symbols', { symbols: [] }, /spec\.symbols/],
    ['with a symbol twice', { symbols: ['BTCUSDC', 'BTCUSDC'] }, /spec\.symbols\[1\].*[Dd]uplicate/],
    [
      'with more than 20 symbols',
      { symbols: Array.from({ length: 21 }, (_, i) => `A${i}USDC`) },
      /spec\.symbols.*20/,
    ],
    ['with a symbol in lower case', { symbols: ['btcusdc'] }, /spec\.symbols\[0\].*btcusdc/],
    ['with an unknown mode', { mode: 'Real' }, /spec\.mode.*"Real".*"Paper", "Shadow", "Live"/],
    ['with a decimal that has a sign', risk('-1'), /spec\.risk\.maxOrderNotional.*-1/],
    ['with a decimal that has an exponent', risk('1e3'), /spec\.risk\.maxOrderNotional.*1e3/],
    ['with a decimal of ten places', risk('0.0000000001'), /spec\.risk\.maxOrderNotional/],
    ['with a decimal that leads with zero', risk('01'), /spec\.risk\.maxOrderNotional/],
    ['with a number in place of decimal text', risk(100), /spec\.risk\.maxOrderNotional.*string/],
    ['with an order limit of zero', risk('0'), /maxOrderNotional must be greater than 0/],
    [
      'with an order limit above the position limit',
      risk('1000.000000001'),
      /must be at most maxPositionNotional/,
    ],
    ['with a daily loss of zero', limit({ maxDailyLoss: '0' }), /maxDailyLoss must be greater than 0/],
    ['with a drawdown of zero', limit({ maxDrawdown: '0.0' }), /maxDrawdown must be greater than 0/],
    ['with a quantity of zero', limit({ maxOrderQuantity: '0' }), /maxOrderQuantity must be greater than 0/],
    [
      'with a quantity of nine places',
      limit({ maxOrderQuantity: '0.000000001' }),
      /spec\.risk\.maxOrderQuantity/,
    ],
    ['with no order in flight', limit({ maxInFlight: 0 }), /spec\.risk\.maxInFlight/],
    [
      'with an unknown act on a loss limit',
      limit({ onLossLimit: 'Stop' }),
      /spec\.risk\.onLossLimit.*"Stop".*"Halt", "ReduceOnly"/,
    ],
    [
      'with capital of an asset twice',
      {
        capital: [
          { asset: 'USDC', amount: '1' },
          { asset: 'USDC', amount: '2' },
        ],
      },
      /[Dd]uplicate/,
    ],
    [
      'with bad decimals in capital',
      { capital: [{ asset: 'USDC', amount: '1,000' }] },
      /spec\.capital\[0\]\.amount.*1,000/,
    ],
    ['without risk', { risk: undefined }, /spec\.risk.*[Rr]equired/],
  ];
  test.each(cases)('%s', async (_, change, message) => {
    await expect(create('TradingStrategy', strategy(change))).rejects.toThrow(message);
  });

  test('when its name does not fit a label', async () => {
    await expect(create('TradingStrategy', strategy(), 'a.b')).rejects.toThrow(/metadata\.name must be/);
    await expect(create('TradingStrategy', strategy(), 'x'.repeat(64))).rejects.toThrow(
      /metadata\.name must be/,
    );
  });
});

test('limits are compared as exact numbers, not as text', async () => {
  await create('TradingStrategy', strategy(risk('9', '10')));
  await create('TradingStrategy', strategy(risk('10.0', '10')));
  await expect(create('TradingStrategy', strategy(risk('10.000000001', '10')))).rejects.toThrow(/at most/);
});

describe('a TradingAccount is refused', () => {
  const lease = (change: Spec) => ({
    lease: { durationSeconds: 60, renewSeconds: 5, softSeconds: 35, hardSeconds: 55, ...change },
  });
  const cases: [string, Spec, RegExp][] = [
    ['simulated without endpoints', { endpoints: undefined }, /Simulated account needs endpoints/],
    [
      'simulated on a real host',
      { endpoints: { ...endpoints, rest: 'https://api.mexc.com' } },
      /must not be under mexc\.com/,
    ],
    [
      'simulated on a real stream',
      { endpoints: { ...endpoints, ws: 'wss://wbs-api.mexc.com:443/ws' } },
      /must not be under mexc\.com/,
    ],
    ['production on the loopback', { environment: 'Production' }, /hosts under mexc\.com/],
    [
      'production without TLS',
      {
        environment: 'Production',
        endpoints: { rest: 'http://api.mexc.com', ws: 'wss://wbs-api.mexc.com/ws' },
      },
      /hosts under mexc\.com/,
    ],
    [
      'production on a host that only looks real',
      {
        environment: 'Production',
        endpoints: { rest: 'https://evilmexc.com', ws: 'wss://wbs-api.mexc.com/ws' },
      },
      /hosts under mexc\.com/,
    ],
    [
      'with a user in the URL',
      { endpoints: { ...endpoints, rest: 'https://api.mexc.com@127.0.0.1' } },
      /spec\.endpoints\.rest/,
    ],
    [
      'with a soft deadline after the hard one',
      lease({ softSeconds: 56 }),
      /softSeconds must be less than hardSeconds/,
    ],
    [
      'with a hard deadline after the lease',
      lease({ hardSeconds: 60 }),
      /hardSeconds must be less than durationSeconds/,
    ],
    [
      'renewing later than the soft deadline',
      lease({ renewSeconds: 35 }),
      /renewSeconds must be less than softSeconds/,
    ],
    ['at another venue', { venue: 'other' }, /spec\.venue.*"mexc-spot"/],
  ];
  test.each(cases)('%s', async (_, change, message) => {
    await expect(create('TradingAccount', account(change))).rejects.toThrow(message);
  });
});

test('a production account needs no endpoints', async () => {
  await create('TradingAccount', account({ environment: 'Production', endpoints: undefined }));
});

describe('what cannot be changed', () => {
  const patch = (kind: keyof typeof kinds, name: string, spec: Spec) =>
    clientOf(kind).mergePatch({ namespace: 'default', name }, { spec } as MergePatch<Stored>);

  test('is the account of a strategy', async () => {
    const { metadata } = await create('TradingStrategy', strategy());
    await expect(patch('TradingStrategy', metadata.name, { accountRef: { name: 'other' } })).rejects.toThrow(
      /accountRef cannot be changed/,
    );
    await patch('TradingStrategy', metadata.name, { suspended: true });
  });

  test('is the environment of an account', async () => {
    const { metadata } = await create('TradingAccount', account());
    const change = { environment: 'Production', endpoints: null };
    await expect(patch('TradingAccount', metadata.name, change)).rejects.toThrow(
      /environment cannot be changed/,
    );
  });

  test('is what an instance runs, unlike its limits', async () => {
    const { metadata } = await create('StrategyInstance', {
      number: 1,
      runsHash: 'a',
      strategyRef: { name: 's', uid: 'u' },
      strategy: 'imbalance-maker',
      symbols: ['BTCUSDC'],
      accountRef: { name: 'main' },
      coreRef: { name: 'core' },
      mode: 'Live',
      parameters: { any: { thing: 1 } },
      capital: [{ asset: 'USDC', amount: '1' }],
      limits: { maxOrderNotional: '1', maxPositionNotional: '2' },
      deletionPolicy: 'Flatten',
      onSidecarLoss: {},
      tokenSecretRef: { name: 't' },
      tokenSha256: 'a'.repeat(64),
    });
    await expect(patch('StrategyInstance', metadata.name, { symbols: ['ETHUSDC'] })).rejects.toThrow(
      /only limits/,
    );
    const changed = await patch('StrategyInstance', metadata.name, { limits: { maxOrderNotional: '0.5' } });
    expect(changed.spec).toMatchObject({
      limits: { maxOrderNotional: '0.5' },
      parameters: { any: { thing: 1 } },
    });
  });
});

describe('the limits of an account', () => {
  test.each<[string, Spec, RegExp]>([
    ['a share of no exposure', { maxConcentrationPct: 40 }, /maxConcentrationPct is a share of maxExposure/],
    ['a share above all', { maxExposure: '1', maxConcentrationPct: 101 }, /maxConcentrationPct.*100/],
    ['a loss of zero', { maxLoss: '0' }, /maxLoss must be greater than 0/],
    ['a drawdown of zero', { maxDrawdown: '0' }, /maxDrawdown must be greater than 0/],
  ])('%s is refused', async (_, limits, message) => {
    await expect(create('TradingAccount', account({ limits }))).rejects.toThrow(message);
  });

  test('all together are accepted', async () => {
    const limits = {
      maxExposure: '1000',
      maxConcentrationPct: 40,
      maxOpenOrders: 50,
      maxLoss: '10.5',
      maxDrawdown: '20',
      onLossLimit: 'ReduceOnly',
    };
    const { spec } = await create('TradingAccount', account({ limits }));
    expect(spec).toMatchObject({ limits });
  });
});

describe('a Halt', () => {
  test('must say what it covers', async () => {
    await expect(create('Halt', { selector: {}, action: 'Cancel' })).rejects.toThrow(
      /name strategies, accounts or cores/,
    );
    await expect(create('Halt', { selector: { all: false }, action: 'Cancel' })).rejects.toThrow(
      /name strategies/,
    );
    await create('Halt', { selector: { cores: ['core'] }, action: 'Block' });
  });

  test('must say what it does', async () => {
    await expect(create('Halt', { selector: { all: true }, action: 'Stop' })).rejects.toThrow(
      /"Block", "Cancel", "Flatten"/,
    );
  });
});

test('status is written through its own subresource and must fit its schema', async () => {
  const { metadata } = await create('ExecutionCore', { accounts: ['main'] });
  const key = { namespace: 'default', name: metadata.name };
  const cores = clientOf('ExecutionCore');
  await cores.mergePatchStatus(key, {
    status: { node: 'n', books: [{ symbol: 'BTCUSDC', state: 'CERTIFIED', certifiedShare: 0.5 }] },
  });
  await expect(cores.mergePatchStatus(key, { status: { books: [{ symbol: 'BTCUSDC' }] } })).rejects.toThrow(
    /state.*[Rr]equired/,
  );
  expect((await cores.get(key)).status).toMatchObject({ node: 'n', books: [{ certifiedShare: 0.5 }] });
});

describe('every text, list and map of a spec and a status is bounded', () => {
  interface Schema {
    type?: string;
    enum?: unknown[];
    format?: string;
    maxLength?: number;
    maxItems?: number;
    maxProperties?: number;
    properties?: Record<string, Schema>;
    items?: Schema;
    additionalProperties?: Schema | boolean;
    'x-kubernetes-preserve-unknown-fields'?: boolean;
  }

  /** Where a schema lets in as much as somebody wants. */
  function unbounded(schema: Schema, path: string): string[] {
    const here =
      (schema.type === 'string' && !schema.enum && !schema.format && schema.maxLength === undefined) ||
      (schema.type === 'array' && schema.maxItems === undefined) ||
      (schema.additionalProperties !== undefined && schema.maxProperties === undefined);
    const inner: [Schema, string][] = Object.entries(schema.properties ?? {}).map(([name, property]) => [
      property,
      `${path}.${name}`,
    ]);
    if (schema.items) inner.push([schema.items, `${path}[]`]);
    if (typeof schema.additionalProperties === 'object')
      inner.push([schema.additionalProperties, `${path}{}`]);
    return [...(here ? [path] : []), ...inner.flatMap(([next, at]) => unbounded(next, at))];
  }

  const files = readdirSync(crdDirectory).filter((name) => name.endsWith('.yaml'));
  test.each(files)('of %s', (file) => {
    const text = readFileSync(join(crdDirectory, file), 'utf8');
    const definitions = parseAllDocuments(text).map((document) => document.toJS()) as {
      spec: { versions: { schema: { openAPIV3Schema: Schema } }[] };
    }[];
    for (const { schema } of definitions.flatMap(({ spec }) => spec.versions)) {
      const { spec: wanted, status } = schema.openAPIV3Schema.properties ?? {};
      expect([...unbounded(wanted ?? {}, 'spec'), ...unbounded(status ?? {}, 'status')]).toEqual([]);
    }
  });

  test('so that 10,000 characters are refused with field and bound', async () => {
    const long = 'X'.repeat(10_000);
    const refused = (spec: Spec) => create('TradingStrategy', strategy(spec)).catch(String);
    expect(await refused({ strategy: long.toLowerCase() })).toMatch(/spec\.strategy: Too long.* 63/);
    expect(await refused({ symbols: [long] })).toMatch(/spec\.symbols\[0\]: Too long/);
    expect(await refused({ accountRef: { name: long } })).toMatch(/spec\.accountRef\.name: Too long/);
    expect(await refused(risk('9'.repeat(10_000)))).toMatch(
      /spec\.risk\.maxOrderNotional: (Too long|Invalid)/,
    );
    expect(await refused({ capital: [{ asset: long, amount: '1' }] })).toMatch(/asset: Too long/);
  });
});

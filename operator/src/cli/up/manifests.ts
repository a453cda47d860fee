import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { RecordedPair } from './recording.js';
import type { Venue } from './venue.js';

/** A Kubernetes object as a manifest gives it. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; [field: string]: unknown };
  spec?: Record<string, unknown>;
  [field: string]: unknown;
}

export const namespace = 'default';
export const credentialsSecret = 'mexc-credentials';
export const caConfigMap = 'venue-ca';
/** What a strategy gets of each base asset that the samples do not name, as a value in quote units. */
const baseCapitalValue = 10_000;

/** Reads every document of every YAML file of a folder. */
export function readManifests(folder: string): Manifest[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .sort()
    .flatMap((file) => parseAllDocuments(readFileSync(join(folder, file), 'utf8')))
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest): manifest is Manifest => manifest !== null);
}

/** The Secret and the ConfigMap through which the core reaches the venue of this run. */
export function venueObjects(venue: Venue): Manifest[] {
  return [
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: credentialsSecret, namespace },
      stringData: { apiKey: venue.credentials.apiKey, secretKey: venue.credentials.secretKey },
    },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: caConfigMap, namespace },
      data: { 'ca.crt': venue.ca },
    },
  ];
}

/** Points the sample account at the venue of this run. */
export function withEndpoints(account: Manifest, venue: Venue): Manifest {
  return {
    ...account,
    metadata: { ...account.metadata, namespace },
    spec: {
      ...account.spec,
      environment: 'Simulated',
      endpoints: { rest: venue.rest, ws: venue.ws, caConfigMapRef: { name: caConfigMap, key: 'ca.crt' } },
      credentialsSecretRef: { name: credentialsSecret },
    },
  };
}

interface Capital {
  asset: string;
  amount: string;
}

/** Gives a sample strategy the pairs of a recording, and capital in their assets. */
export function forRecording(strategy: Manifest, pairs: readonly RecordedPair[]): Manifest {
  const capital = (strategy.spec?.['capital'] ?? []) as Capital[];
  const quotes = [...new Set(pairs.map(({ quote }) => quote))];
  const samplePairs = (strategy.spec?.['symbols'] ?? []) as string[];
  const sampleBases = samplePairs.map((symbol) => symbol.replace(/USDC$/, ''));
  const quoteCapital = capital.find(({ asset }) => !sampleBases.includes(asset))?.amount ?? String(baseCapitalValue);
  const bases = [...new Set(pairs.map(({ base }) => base))].filter((base) => !quotes.includes(base));
  return {
    ...strategy,
    spec: {
      ...strategy.spec,
      symbols: pairs.map(({ symbol }) => symbol),
      capital: [
        ...quotes.map((asset) => ({ asset, amount: quoteCapital })),
        ...bases.map((asset) => {
          const price = pairs.find(({ base }) => base === asset)?.price ?? 1;
          const sample = capital.find((entry) => entry.asset === asset)?.amount;
          return { asset, amount: sample ?? String(Number((baseCapitalValue / price).toPrecision(3))) };
        }),
      ],
    },
  };
}

/** What the simulated account holds: four times the capital of all strategies, so that some stays unassigned. */
export function venueBalances(strategies: readonly Manifest[]): Record<string, string> {
  const balances: Record<string, number> = {};
  for (const strategy of strategies) {
    for (const { asset, amount } of (strategy.spec?.['capital'] ?? []) as Capital[]) {
      balances[asset] = (balances[asset] ?? 0) + 4 * Number(amount);
    }
  }
  return Object.fromEntries(Object.entries(balances).map(([asset, amount]) => [asset, amount.toFixed(6)]));
}

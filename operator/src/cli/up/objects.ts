import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Manifest } from '../manifests.js';
import type { RecordedPair } from './recording.js';
import type { Venue } from './venue.js';

export const namespace = 'default';
const credentialsSecret = 'mexc-credentials';
const caConfigMap = 'venue-ca';
/** What a strategy gets of a base asset that the samples do not name, as a value in quote units. */
const baseCapitalValue = 10_000;

/** The Secret and the ConfigMap through which the core reaches the venue of this run. */
export function venueObjects(venue: Venue): Manifest[] {
  const { credentials, ca } = venue;
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: credentialsSecret, namespace } };
  const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: caConfigMap, namespace } };
  return [
    ...(credentials === undefined ? [] : [{ ...secret, stringData: { ...credentials } }]),
    ...(ca === undefined ? [] : [{ ...configMap, data: { 'ca.crt': ca } }]),
  ];
}

/** Points the sample account at the venue of this run. */
export function withEndpoints(account: Manifest, venue: Venue): Manifest {
  const { credentialsSecretRef: _, ...spec } = account.spec ?? {};
  return {
    ...account,
    spec: {
      ...spec,
      environment: venue.environment,
      endpoints: {
        rest: venue.rest,
        ws: venue.ws,
        ...(venue.ca === undefined ? {} : { caConfigMapRef: { name: caConfigMap, key: 'ca.crt' } }),
      },
      // Without keys there is paper only.
      ...(venue.credentials === undefined ? {} : { credentialsSecretRef: { name: credentialsSecret } }),
    },
  };
}

interface Capital {
  asset: string;
  amount: string;
}

function capitalOf(strategy: Manifest): Capital[] {
  const capital = strategy.spec?.['capital'];
  return Array.isArray(capital) ? (capital as Capital[]) : [];
}

/** Gives a sample strategy the pairs of a recording, and capital in their assets. */
export function forRecording(strategy: Manifest, pairs: readonly RecordedPair[]): Manifest {
  const sample = new Map(capitalOf(strategy).map(({ asset, amount }) => [asset, amount]));
  const quotes = [...new Set(pairs.map(({ quote }) => quote))];
  const bases = [...new Set(pairs.map(({ base }) => base))].filter((base) => !quotes.includes(base));
  const quoteAmount = sample.get('USDC') ?? String(baseCapitalValue);
  const baseAmount = (asset: string) => {
    const price = pairs.find(({ base }) => base === asset)?.price ?? 1;
    return sample.get(asset) ?? String(Number((baseCapitalValue / price).toPrecision(3)));
  };
  return {
    ...strategy,
    spec: {
      ...strategy.spec,
      symbols: pairs.map(({ symbol }) => symbol),
      capital: [
        ...quotes.map((asset) => ({ asset, amount: quoteAmount })),
        ...bases.map((asset) => ({ asset, amount: baseAmount(asset) })),
      ],
    },
  };
}

/** What the simulated account holds: four times the capital of all strategies, so that some stays unassigned. */
export function venueBalances(strategies: readonly Manifest[]): Record<string, string> {
  const balances: Record<string, number> = {};
  for (const { asset, amount } of strategies.flatMap(capitalOf)) {
    // What is no amount is refused by the API server, with field and value.
    if (!(Number(amount) > 0 && Number(amount) < 1e15)) continue;
    balances[asset] = (balances[asset] ?? 0) + 4 * Number(amount);
  }
  return Object.fromEntries(Object.entries(balances).map(([asset, amount]) => [asset, amount.toFixed(6)]));
}

/** Where the core's agent socket is on this machine: its hostPath, below the folder that stands for the root. */
export function agentSocketOf(hostRoot: string, core: string, desk = namespace): string {
  const folder = createHash('sha256').update(`${desk}/${core}`).digest('hex').slice(0, 10);
  return join(hostRoot, 'run/flashpod', folder, 'agent/agent.sock');
}

// An exchange that runs elsewhere, as a venue of a local run.

import { FlashpodError } from '../../errors.js';
import type { Manifest } from '../manifests.js';
import type { Mode } from './options.js';
import { getJson, reach } from './reach.js';
import type { Venue } from './venue.js';
import type { ExternalVenue } from './venue-options.js';

const symbolsOf = (strategies: readonly Manifest[]): string[] => [
  ...new Set(strategies.flatMap(({ spec }) => (spec?.['symbols'] ?? []) as string[])),
];

/** The same strategy in another mode. */
export const inMode = (strategy: Manifest, mode: Mode | undefined): Manifest =>
  mode === undefined ? strategy : { ...strategy, spec: { ...strategy.spec, mode } };

/** Nothing can be sent without keys: whoever asks for it is told before anything starts. */
export function refuseLiveWithoutKeys(strategies: readonly Manifest[], { credentials }: ExternalVenue): void {
  if (credentials !== undefined) return;
  for (const { metadata, spec } of strategies) {
    if (spec?.['mode'] !== 'Live') continue;
    throw new FlashpodError(
      'up.no-credentials',
      `TradingStrategy "${metadata.name}": spec.mode: "Live" is not accepted; accepted: Paper or Shadow, since no keys of the exchange are given`,
    );
  }
}

/** Makes sure that the exchange can be reached, says what was found, and gives it as the venue of the run. */
export async function externalVenue(
  options: ExternalVenue,
  strategies: readonly Manifest[],
  say: (line: string) => void,
): Promise<Venue> {
  const { rest, ws, environment, ca, credentials } = options;
  const symbols = symbolsOf(strategies);
  const { dispatcher, clockMs, symbols: traded } = await reach(rest, ws, symbols, ca);
  say(
    `venue      ${rest} and ${ws} (${environment}; ${traded.length} pairs; clocks ${Math.abs(clockMs)} ms apart)`,
  );
  return {
    child: undefined,
    rest,
    ws,
    environment,
    ca,
    credentials,
    // An exchange shows its books to nobody; only a simulated one is asked for them.
    get: <T>(path: string) =>
      environment === 'Production' && !path.startsWith('/api/')
        ? Promise.reject<T>(new Error('a real exchange has no such page'))
        : getJson<T>(rest, path, dispatcher),
    stop: () => dispatcher.destroy(),
  };
}

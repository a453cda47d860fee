// The flags of an exchange that is not started by us: `--venue mexc`.

import { readFileSync } from 'node:fs';
import { venueEndpoints } from '../../api/defaults.js';
import { UsageError } from '../usage.js';
import type { Credentials } from './venue.js';

export interface ExternalVenue {
  readonly rest: string;
  readonly ws: string;
  /** By the hosts, as the core judges them: Production under mexc.com, Simulated everywhere else. */
  readonly environment: 'Production' | 'Simulated';
  /** PEM of an additional certificate authority. */
  readonly ca: string | undefined;
  /** Without them nothing can be Live. */
  readonly credentials: Credentials | undefined;
}

export interface VenueFlags {
  venue?: string;
  venueRest?: string;
  venueWs?: string;
  venueCa?: string;
  venueCredentials?: string;
}

const kinds = ['simulated', 'mexc'] as const;

/** Undefined: we start a simulated exchange ourselves. */
export function parseVenue(flags: VenueFlags): ExternalVenue | undefined {
  const { venue = 'simulated', venueRest, venueWs, venueCa, venueCredentials } = flags;
  if (!kinds.some((kind) => kind === venue))
    throw new UsageError('--venue', venue, `one of ${kinds.join(', ')}`);
  if (venue === 'simulated') {
    const alone = {
      '--venue-rest': venueRest,
      '--venue-ws': venueWs,
      '--venue-ca': venueCa,
      '--venue-credentials': venueCredentials,
    };
    for (const [flag, value] of Object.entries(alone))
      if (value !== undefined)
        throw new UsageError(
          flag,
          flag === '--venue-rest' || flag === '--venue-ws' ? shown(value) : value,
          'it together with --venue mexc; a simulated exchange chooses its own',
        );
    return undefined;
  }
  const rest = address('--venue-rest', venueRest ?? venueEndpoints.rest, ['https:', 'http:']).replace(
    /\/$/,
    '',
  );
  const ws = address('--venue-ws', venueWs ?? venueEndpoints.ws, ['wss:', 'ws:']);
  const real = [rest, ws].map(isReal);
  if (real[0] !== real[1]) {
    const other = real[0] ? ['--venue-ws', ws] : ['--venue-rest', rest];
    throw new UsageError(other[0] ?? '', other[1] ?? '', 'hosts that are both under mexc.com, or both not');
  }
  for (const url of [rest, ws])
    if (real[0] && /^(http|ws):/.test(url))
      throw new UsageError('--venue-rest and --venue-ws', url, 'https:// and wss:// for the real exchange');
  return {
    rest,
    ws,
    environment: real[0] ? 'Production' : 'Simulated',
    ca:
      venueCa === undefined
        ? undefined
        : text('--venue-ca', venueCa, 'a PEM file with a certificate', /-----BEGIN CERTIFICATE-----/),
    credentials: venueCredentials === undefined ? undefined : credentialsIn(venueCredentials),
  };
}

const isReal = (url: string): boolean => /(^|\.)mexc\.com\.?$/.test(new URL(url).hostname);

function address(flag: string, value: string, protocols: readonly string[]): string {
  const accepted = `an address that begins with ${protocols.join('// or ')}//, without name, password and query`;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (!url || !protocols.includes(url.protocol) || url.username || url.password || url.search || url.hash)
    throw new UsageError(flag, shown(value), accepted);
  // As it was understood, not as it was typed: what is checked from here on is what is connected to.
  return url.href;
}

/** Of an address, nothing that could be a key: who it is for, and its parameters, are in no message. */
function shown(value: string): string {
  if (value.includes('@')) return 'one with a name or password';
  return value.replace(/([?#]).*$/s, '$1…');
}

function text(flag: string, file: string, accepted: string, pattern: RegExp): string {
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(
      flag,
      file,
      `${accepted} that can be read (${(error as NodeJS.ErrnoException).code})`,
    );
  }
  if (!pattern.test(content)) throw new UsageError(flag, file, accepted);
  return content;
}

/** Keys come in a file: a command line is seen by everybody on the machine. What is in it is in no message. */
function credentialsIn(file: string): Credentials {
  const accepted = 'a JSON file with the texts "apiKey" and "secretKey"';
  const content = text('--venue-credentials', file, accepted, /\S/);
  try {
    const { apiKey, secretKey } = JSON.parse(content) as Partial<Credentials>;
    if (typeof apiKey === 'string' && apiKey && typeof secretKey === 'string' && secretKey)
      return { apiKey, secretKey };
  } catch {
    // Said below, without what is in the file.
  }
  throw new UsageError('--venue-credentials', file, accepted);
}

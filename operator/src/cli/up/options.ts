import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { UsageError } from '../usage.js';
import { type ExternalVenue, parseVenue, type VenueFlags } from './venue-options.js';

const modes = ['Paper', 'Shadow', 'Live'] as const;
export type Mode = (typeof modes)[number];

/** What `flashpod up` was asked to do, checked. */
export interface UpOptions {
  /** Folders of the user's own strategies, absolute; empty means the sample strategies. */
  readonly strategies: readonly string[];
  /** The exchange to trade on; undefined: a simulated one that the run starts itself. */
  readonly venue: ExternalVenue | undefined;
  /** The mode of every strategy; undefined: as its manifest says. */
  readonly mode: Mode | undefined;
  /** Recordings to replay, absolute; empty means the synthetic market. */
  readonly replay: readonly string[];
  readonly seed: number;
  readonly speed: string;
  /** Begin the recordings anew at their end. */
  readonly loop: boolean;
  /** How long to run, ms; undefined means until Ctrl-C. */
  readonly forMs: number | undefined;
  readonly headless: boolean;
  /** Where to write the report, absolute. */
  readonly report: string | undefined;
  /** `NAME=VALUE` pairs for the venue's `--set`. */
  readonly venueSet: readonly string[];
  /** Fault file for the venue, absolute. */
  readonly venueFaults: string | undefined;
  /** More accounts of the venue, as it takes them: for other desks than that of the samples. */
  readonly venueAccounts: readonly object[];
  /** Where the objects of the run are kept for the next one, absolute; undefined: they end with the run. */
  readonly state: string | undefined;
  /** Longest wait before a crashed process is started again. */
  readonly restartBackoffMs: number;
  /** When the user typed the command, ms since 1970. */
  readonly startedAt: number;
}

/** The flags as the command line parser hands them over. */
export interface UpFlags extends VenueFlags {
  strategy?: string[];
  mode?: string;
  replay?: string[];
  seed?: string;
  speed?: string;
  loop?: boolean;
  for?: string;
  headless?: boolean;
  report?: string;
  venueSet?: string[];
  venueFaults?: string;
  venueAccounts?: string;
  state?: string;
  restartBackoff?: string;
}

/** The longest that a timer of Node can wait. */
const longestMs = 2 ** 31 - 1;
const units: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Reads `60s`, `2m`, `1.5h`, `500ms`; a bare number is seconds. */
export function parseDuration(flag: string, text: string): number {
  const [, amount, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  const ms = Number(amount) * (units[unit] ?? Number.NaN);
  if (!(ms > 0)) throw new UsageError(flag, text, 'a duration above zero such as 60s, 2m or 500ms');
  if (ms > longestMs) throw new UsageError(flag, text, 'a duration of at most 596h');
  return Math.round(ms);
}

/** The bounds of a kubelet's `crashLoopBackOff.maxContainerRestartPeriod`, which is what this is here. */
function parseRestartBackoff(text: string): number {
  const ms = parseDuration('--restart-backoff', text);
  if (ms < 1_000 || ms > 300_000)
    throw new UsageError('--restart-backoff', text, 'a duration from 1s to 300s');
  return ms;
}

function parseMode(text: string): Mode {
  const mode = modes.find((one) => one === text);
  if (mode === undefined) throw new UsageError('--mode', text, modes.join(', '));
  return mode;
}

function parseSeed(text: string): number {
  const seed = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(seed)) {
    throw new UsageError('--seed', text, `a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`);
  }
  return seed;
}

function parseSpeed(text: string): string {
  if (text !== 'max' && !(/^\d+(\.\d+)?$/.test(text) && Number(text) > 0 && Number(text) <= 1_000)) {
    throw new UsageError('--speed', text, '1 (real time), a factor up to 1000, or max');
  }
  return text;
}

function parseLoop({ loop = false, replay = [] }: UpFlags): boolean {
  if (loop && replay.length === 0) throw new UsageError('--loop', 'true', 'it with --replay only');
  return loop;
}

function existingFile(flag: string, path: string): string {
  const absolute = resolve(path);
  if (!existsSync(absolute)) throw new UsageError(flag, path, 'a file that exists');
  if (!statSync(absolute).isFile()) throw new UsageError(flag, path, 'a file, not a directory');
  return absolute;
}

function existingFolder(flag: string, path: string): string {
  const absolute = resolve(path);
  if (!existsSync(absolute)) throw new UsageError(flag, path, 'a folder that exists');
  if (!statSync(absolute).isDirectory())
    throw new UsageError(flag, path, 'the folder of a strategy, not a file');
  return absolute;
}

function writableFile(flag: string, path: string): string {
  const absolute = resolve(path);
  const folder = resolve(absolute, '..');
  if (!existsSync(folder))
    throw new UsageError(flag, path, `a file in a folder that exists (${folder} does not)`);
  if (existsSync(absolute) && !statSync(absolute).isFile())
    throw new UsageError(flag, path, 'a file, not a directory');
  try {
    accessSync(existsSync(absolute) ? absolute : folder, constants.W_OK);
  } catch {
    throw new UsageError(flag, path, 'a file that may be written');
  }
  return absolute;
}

function stateFolder(path: string): string {
  const absolute = resolve(path);
  if (existsSync(absolute) && !statSync(absolute).isDirectory())
    throw new UsageError('--state', path, 'a folder, or a name that nothing has');
  return absolute;
}

function parseVenueSet(pair: string): string {
  if (!/^[A-Za-z][A-Za-z0-9]*=.*$/.test(pair)) {
    throw new UsageError(
      '--venue-set',
      pair,
      'NAME=VALUE; the names are in core-engine/crates/venue/README.md',
    );
  }
  return pair;
}

/** What each account must have is for the venue to say; it has the last word on its own format. */
function accountsIn(flag: string, path: string): object[] {
  const accepted = 'a JSON file as flashpod-venue takes it: {"accounts": [{apiKey, secretKey, balances}]}';
  try {
    const { accounts } = JSON.parse(readFileSync(existingFile(flag, path), 'utf8')) as { accounts?: unknown };
    if (Array.isArray(accounts)) return accounts as object[];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new UsageError(flag, path, accepted);
}

/** A market of our own has no place on an exchange that is not. */
function parseVenueAlone(flags: UpFlags): ExternalVenue | undefined {
  const venue = parseVenue(flags);
  const ours = {
    '--replay': flags.replay,
    '--venue-set': flags.venueSet,
    '--venue-faults': flags.venueFaults,
    '--venue-accounts': flags.venueAccounts,
  };
  for (const [flag, value] of Object.entries(ours))
    if (venue !== undefined && value !== undefined)
      throw new UsageError(
        flag,
        String(value),
        'it without --venue mexc; the exchange has a market of its own',
      );
  return venue;
}

/** Checks every flag and names the first one that is wrong. */
export function parseUpOptions(flags: UpFlags, startedAt: number): UpOptions {
  return {
    strategies: (flags.strategy ?? []).map((path) => existingFolder('--strategy', path)),
    venue: parseVenueAlone(flags),
    mode: flags.mode === undefined ? undefined : parseMode(flags.mode),
    replay: (flags.replay ?? []).map((path) => existingFile('--replay', path)),
    seed: parseSeed(flags.seed ?? '1'),
    speed: parseSpeed(flags.speed ?? '1'),
    loop: parseLoop(flags),
    forMs: flags.for === undefined ? undefined : parseDuration('--for', flags.for),
    headless: flags.headless ?? false,
    report: flags.report === undefined ? undefined : writableFile('--report', flags.report),
    venueSet: (flags.venueSet ?? []).map(parseVenueSet),
    venueFaults:
      flags.venueFaults === undefined ? undefined : existingFile('--venue-faults', flags.venueFaults),
    venueAccounts:
      flags.venueAccounts === undefined ? [] : accountsIn('--venue-accounts', flags.venueAccounts),
    restartBackoffMs: parseRestartBackoff(flags.restartBackoff ?? '300s'),
    state: flags.state === undefined ? undefined : stateFolder(flags.state),
    startedAt,
  };
}

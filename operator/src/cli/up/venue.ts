import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Agent, request } from 'undici';
import { FlashpodError } from '../../errors.js';
import type { Reaper } from '../../local/index.js';
import { type Child, startChild } from './child.js';
import type { UpOptions } from './options.js';

/** Keys of the simulated account: made for this run, worth nothing elsewhere. */
export interface Credentials {
  readonly apiKey: string;
  readonly secretKey: string;
}

export interface Venue {
  /** Undefined for an exchange that we did not start. */
  readonly child: Child | undefined;
  readonly rest: string;
  readonly ws: string;
  readonly environment: 'Simulated' | 'Production';
  /** PEM of a certificate authority of its own. */
  readonly ca: string | undefined;
  readonly credentials: Credentials | undefined;
  /** Reads a JSON document from the venue. */
  get<T>(path: string): Promise<T>;
  stop(): Promise<void>;
}

const readyWithinMs = 20_000;
const graceMs = 5_000;

interface Address {
  readonly rest: string;
  readonly ws: string;
  readonly caFile: string;
}

/** What the venue says on its first line, once it listens. */
async function addressOf(child: Child, end: AbortSignal): Promise<Address> {
  const stdout = child.process.stdout;
  if (!stdout) throw new Error('the venue has no stdout');
  const lines = createInterface({ input: stdout });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const late = new FlashpodError('up.failed', `the venue was not ready within ${readyWithinMs / 1_000} s`);
    timer = setTimeout(() => reject(late), readyWithinMs);
  });
  const line = new Promise<string>((resolve) => lines.once('line', resolve));
  const gone = child.ended.then((how): never => {
    throw new FlashpodError('up.failed', how);
  });
  const stopped = new Promise<never>((_, reject) => {
    const stop = () => reject(new FlashpodError('up.stopped', `stopped during the start: ${end.reason}`));
    if (end.aborted) stop();
    else end.addEventListener('abort', stop, { once: true });
  });
  const first = await Promise.race([line, late, gone, stopped]).finally(() => clearTimeout(timer));
  return JSON.parse(first) as Address;
}

/** Starts `flashpod-venue` with TLS, one account and the chosen market, and waits until it answers. */
export async function startVenue(
  binary: string,
  options: UpOptions,
  balances: Record<string, string>,
  paths: { run: string; logs: string },
  reaper: Reaper,
  end: AbortSignal,
): Promise<Venue> {
  const credentials = {
    apiKey: `mx0${randomBytes(12).toString('hex')}`,
    secretKey: randomBytes(32).toString('hex'),
  };
  const accounts = join(paths.run, 'venue-accounts.json');
  const all = [{ ...credentials, balances }, ...options.venueAccounts];
  writeFileSync(accounts, JSON.stringify({ accounts: all }), { mode: 0o600 });
  const market =
    options.replay.length > 0 ? ['--replay', ...options.replay] : [`--synthetic=${options.seed}`];
  const log = join(paths.logs, 'venue.log');
  const child = startChild(
    'the venue',
    [
      binary,
      '--listen',
      '127.0.0.1:0',
      '--tls',
      // Beside the rest of the run: killed, the venue cannot take it away.
      '--ca-out',
      join(paths.run, 'venue-ca.pem'),
      '--accounts',
      accounts,
      '--speed',
      options.speed,
      ...(options.loop ? ['--loop'] : []),
      ...options.venueSet.flatMap((pair) => ['--set', pair]),
      ...(options.venueFaults === undefined ? [] : ['--faults', options.venueFaults]),
      ...market,
    ],
    { log, stdout: 'pipe', reaper },
  );
  const { rest, ws, caFile } = await addressOf(child, end).catch(async (error: unknown) => {
    await child.stop(graceMs);
    throw error;
  });
  const ca = readFileSync(caFile, 'utf8');
  const dispatcher = new Agent({ connect: { ca } });
  return {
    child,
    rest,
    ws,
    environment: 'Simulated',
    ca,
    credentials,
    async get<T>(path: string) {
      const { statusCode, body } = await request(rest + path, { dispatcher });
      if (statusCode !== 200)
        throw new Error(`the venue answered ${statusCode} to GET ${path}: ${await body.text()}`);
      return (await body.json()) as T;
    },
    async stop() {
      await dispatcher.destroy();
      await child.stop(graceMs);
    },
  };
}

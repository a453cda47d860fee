// Whether an exchange can be reached from here, and if not, in words why: name, network, TLS, region, or another server.

import { once } from 'node:events';
import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { Agent, request, WebSocket } from 'undici';
import { FlashpodError } from '../../errors.js';

const withinMs = 10_000;

/** What stands between us and the exchange. */
export type Obstacle = 'name' | 'network' | 'tls' | 'region' | 'busy' | 'server';

const remedies: Record<Obstacle, string> = {
  name: 'Check the host name and the name server of this machine.',
  network: 'Check the network, a firewall or a proxy on the way; Flashpod connects directly.',
  tls: 'Check what answers there: a proxy that opens TLS, or a certificate of an authority of your own (--venue-ca FILE).',
  region: 'The exchange does not serve this address. Use a machine in a region that it serves.',
  busy: 'The exchange limits this address; wait some minutes and try again.',
  server: 'Check that --venue-rest and --venue-ws name an exchange that speaks the MEXC API.',
};

export function unreachable(
  url: string,
  obstacle: Obstacle,
  message: string,
  cause?: unknown,
): FlashpodError {
  const options = { remedy: remedies[obstacle], ...(cause === undefined ? {} : { cause }) };
  return new FlashpodError('up.venue-unreachable', `${url}: ${message}`, options);
}

const names = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_NODATA', 'EAI_NONAME']);
const tls = /CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO_|HOSTNAME|EPROTO/;

/** A broken connection in words. */
export function broken(url: string, error: unknown): FlashpodError {
  if (error instanceof FlashpodError) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  const { hostname } = new URL(url);
  if (names.has(code)) return unreachable(url, 'name', `the name ${hostname} is not known (${code})`, error);
  if (tls.test(code)) return unreachable(url, 'tls', `TLS failed: ${message} (${code})`, error);
  if (code === 'ECONNREFUSED')
    return unreachable(url, 'network', 'the connection was refused: nothing listens there', error);
  if (code === 'ECONNRESET' || code === 'EPIPE')
    return unreachable(
      url,
      'network',
      'the connection was cut: something on the way does not let it through',
      error,
    );
  return unreachable(url, 'network', `no connection: ${message}`, error);
}

/** An answer that is not 200 in words. */
export function refused(url: string, status: number, body: string): FlashpodError {
  const said = body.replaceAll(/\s+/g, ' ').trim().slice(0, 120);
  const answer = `it answered ${status}${said === '' ? '' : ` (${said})`}`;
  if (status === 403 || status === 451)
    return unreachable(url, 'region', `${answer}: this address or region is not served`);
  if (status === 429 || status === 418)
    return unreachable(url, 'busy', `${answer}: too many requests from this address`);
  return unreachable(url, 'server', answer);
}

/** Opens and closes a connection: whatever fails here has a code that says what it was. */
async function touch(url: string, ca: string | undefined): Promise<void> {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const secure = protocol === 'https:' || protocol === 'wss:';
  const to = { host, port: Number(port || (secure ? 443 : 80)) };
  const socket = secure
    ? connectTls({ ...to, ...(isIP(host) ? {} : { servername: host }), ...(ca === undefined ? {} : { ca }) })
    : connectTcp(to);
  try {
    await once(socket, secure ? 'secureConnect' : 'connect', { signal: AbortSignal.timeout(withinMs) });
  } catch (error) {
    if ((error as Error).name === 'AbortError')
      throw unreachable(url, 'network', `no answer within ${withinMs / 1_000} s`, error);
    throw broken(url, error);
  } finally {
    (socket as TLSSocket).destroy();
  }
}

/** Status and text of an answer; whatever breaks on the way to its last byte is told in words. */
async function getText(url: string, dispatcher: Agent): Promise<{ status: number; text: string }> {
  try {
    const { statusCode, body } = await request(url, {
      dispatcher,
      headersTimeout: withinMs,
      bodyTimeout: withinMs,
      signal: AbortSignal.timeout(withinMs),
    });
    return { status: statusCode, text: await body.text() };
  } catch (error) {
    throw broken(url, error);
  }
}

/** The JSON object in a text; throws what came instead. */
function objectIn<T extends object>(url: string, text: string): T {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as T;
  } catch {
    // Said below.
  }
  throw unreachable(url, 'server', `it answered with something else than JSON: ${text.slice(0, 80)}`);
}

/** GET of a JSON document over REST. */
export async function getJson<T>(rest: string, path: string, dispatcher: Agent): Promise<T> {
  const url = rest + path;
  const { status, text } = await getText(url, dispatcher);
  if (status !== 200) throw refused(url, status, text);
  return objectIn(url, text) as T;
}

/** Subscribes to the best prices of a pair and waits for the exchange's word on it. */
async function subscribe(ws: string, symbol: string, dispatcher: Agent): Promise<void> {
  const socket = new WebSocket(ws, { dispatcher });
  const signal = AbortSignal.timeout(withinMs);
  const channel = `spot@public.aggre.bookTicker.v3.api.pb@100ms@${symbol}`;
  try {
    const said = new Promise<string>((resolve, reject) => {
      socket.addEventListener('open', () =>
        socket.send(JSON.stringify({ method: 'SUBSCRIPTION', params: [channel] })),
      );
      // Prices are binary; the word on a subscription is text.
      socket.addEventListener('message', ({ data }) => typeof data === 'string' && resolve(data));
      socket.addEventListener('error', ({ error, message }) => reject(error ?? new Error(message)));
      socket.addEventListener('close', ({ code, reason }) =>
        reject(new Error(`it closed the connection (${code} ${reason})`)),
      );
      signal.addEventListener('abort', () =>
        reject(new Error(`no word on a subscription within ${withinMs / 1_000} s`)),
      );
    });
    const text = await said.catch((error: Error) => {
      throw unreachable(ws, 'server', `no WebSocket: ${error.message}`, error);
    });
    const { msg } = objectIn<{ msg?: unknown }>(ws, text);
    if (msg === channel) return;
    const obstacle: Obstacle = /blocked/i.test(String(msg)) ? 'region' : 'server';
    throw unreachable(ws, obstacle, `it refused the prices of ${symbol}: ${msg ?? text.slice(0, 80)}`);
  } finally {
    socket.close();
  }
}

export interface Reached {
  readonly dispatcher: Agent;
  /** Our clock less the exchange's, ms: half of a round trip is in it. */
  readonly clockMs: number;
  readonly symbols: readonly string[];
}

/** Tries REST and WebSocket as the core will use them; throws the first obstacle. Sends nothing that is signed. */
export async function reach(
  rest: string,
  ws: string,
  symbols: readonly string[],
  ca?: string,
): Promise<Reached> {
  await touch(rest, ca);
  const dispatcher = new Agent({ connect: ca === undefined ? {} : { ca } });
  try {
    const { serverTime } = await getJson<{ serverTime?: number }>(rest, '/api/v3/time', dispatcher);
    if (typeof serverTime !== 'number')
      throw unreachable(rest, 'server', 'its /api/v3/time has no serverTime');
    const clockMs = Date.now() - serverTime;
    const info = await getJson<{ symbols?: { symbol: string }[] }>(rest, '/api/v3/exchangeInfo', dispatcher);
    if (!Array.isArray(info.symbols))
      throw unreachable(rest, 'server', 'its /api/v3/exchangeInfo has no list of symbols');
    const traded = info.symbols.map(({ symbol }) => symbol);
    const missing = symbols.filter((symbol) => !traded.includes(symbol));
    if (missing.length > 0)
      throw unreachable(
        rest,
        'server',
        `it does not trade ${missing.join(', ')} (it has ${traded.length} pairs)`,
      );
    await touch(ws, ca);
    for (const symbol of symbols) await subscribe(ws, symbol, dispatcher);
    return { dispatcher, clockMs, symbols: traded };
  } catch (error) {
    await dispatcher.destroy();
    throw error;
  }
}

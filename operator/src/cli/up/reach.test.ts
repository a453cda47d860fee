import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { broken, reach, refused } from './reach.js';

let server: Server;
let rest: string;
let answer: (url: string, response: ServerResponse) => void;

beforeAll(async () => {
  server = createServer(({ url = '' }, response) => answer(url, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  rest = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const ws = () => rest.replace('http', 'ws');
const tried = () => reach(rest, ws(), ['BTCUSDC']);
const json = (response: ServerResponse, body: object) => response.end(JSON.stringify(body));

test.each([
  [
    403,
    'Forbidden',
    /answered 403 \(Forbidden\): this address or region is not served/,
    /region that it serves/,
  ],
  [451, '', /answered 451: this address or region is not served/, /region that it serves/],
  [429, '{"code":429}', /answered 429 .*too many requests/, /wait some minutes/],
  [500, 'x'.repeat(500), /answered 500 \(x{120}\)$/, /speaks the MEXC API/],
])('an answer of %d is told with what it means', async (status, body, message, remedy) => {
  answer = (_, response) => response.writeHead(status).end(body);
  await expect(tried()).rejects.toMatchObject({
    code: 'up.venue-unreachable',
    message: expect.stringMatching(message),
    remedy: expect.stringMatching(remedy),
  });
  expect(refused('https://x', status, body).exitCode).toBe(3);
});

test('a page for people, another server, and a pair that is not traded are told apart', async () => {
  answer = (_, response) => response.end('<html>Please log in</html>');
  await expect(tried()).rejects.toThrow('it answered with something else than JSON: <html>Please log in');
  answer = (_, response) => json(response, {});
  await expect(tried()).rejects.toThrow('its /api/v3/time has no serverTime');
  answer = (url, response) =>
    json(response, url.endsWith('time') ? { serverTime: 1 } : { symbols: [{ symbol: 'A' }] });
  await expect(tried()).rejects.toThrow('it does not trade BTCUSDC (it has 1 pairs)');
  answer = (_, response) => response.end('null');
  await expect(tried()).rejects.toThrow('it answered with something else than JSON: null');
  answer = (_, response) => json(response, { serverTime: 1, symbols: 'none' });
  await expect(tried()).rejects.toThrow('its /api/v3/exchangeInfo has no list of symbols');
});

test('an answer that is cut in its middle is told as such', async () => {
  answer = (_, response) => {
    response.writeHead(200, { 'content-length': 100 }).write('{"serverTime":');
    setTimeout(() => response.destroy(), 20);
  };
  await expect(tried()).rejects.toMatchObject({
    code: 'up.venue-unreachable',
    message: expect.stringContaining('/api/v3/time: no connection: '),
  });
});

test('a server without WebSocket is told as such', async () => {
  answer = (url, response) =>
    json(response, url.endsWith('time') ? { serverTime: 1 } : { symbols: [{ symbol: 'BTCUSDC' }] });
  await expect(tried()).rejects.toMatchObject({ message: expect.stringMatching(/^ws:.*: no WebSocket/) });
});

test('TLS that is none, and a port on which nothing listens', async () => {
  await expect(reach(rest.replace('http', 'https'), ws(), [])).rejects.toMatchObject({
    message: expect.stringMatching(/TLS failed: .*wrong version number/s),
    remedy: expect.stringContaining('--venue-ca'),
  });
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  await expect(reach(`http://127.0.0.1:${port}`, ws(), [])).rejects.toThrow('the connection was refused');
});

test.each([
  ['ENOTFOUND', 'the name api.mexc.com is not known (ENOTFOUND)'],
  ['EAI_AGAIN', 'the name api.mexc.com is not known (EAI_AGAIN)'],
  ['ECONNRESET', 'the connection was cut: something on the way does not let it through'],
  ['CERT_HAS_EXPIRED', 'TLS failed: why (CERT_HAS_EXPIRED)'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'TLS failed: why (SELF_SIGNED_CERT_IN_CHAIN)'],
  ['ENETUNREACH', 'no connection: why'],
])('%s is told in words', (code, message) => {
  const error = broken('https://api.mexc.com/api', Object.assign(new Error('why'), { code }));
  expect(error.message).toBe(`https://api.mexc.com/api: ${message}`);
});

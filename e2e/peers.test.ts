import { globSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import {
  AgentService,
  AgentUpSchema,
  create,
  type MessageInitShape,
  makeClient,
  SessionUpSchema,
  StrategyService,
} from '@flashpod/proto';
import type { ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resourceOf } from '../operator/src/cli/kinds.ts';
import { Secrets } from '../operator/src/kube/index.ts';
import { LocalRun } from './local-run.ts';
import { until } from './shared.ts';
import { apiKey, Venue } from './venue.ts';

// Peers that misbehave, each as a row: what they do, and what they are told. What ran before goes on.

const namespace = 'default';

/** Whether in order or by a reset. */
function closed(socket: Socket): Promise<void> {
  socket.on('error', () => {});
  socket.resume();
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

describe('the exchange', () => {
  let venue: Venue;
  const idleMs = 1_000;

  beforeAll(async () => {
    venue = await Venue.start(['--set', `httpIdleMs=${idleMs}`]);
  });
  afterAll(async () => {
    // Whatever came: it still answers, it has no order, and it ends as it should.
    expect((await fetch(`${venue.rest}/api/v3/ping`)).status).toBe(200);
    expect((await venue.audit()).accounts[0]?.orders).toEqual([]);
    expect(await venue.stop()).toBe(0);
  });

  const order = (headers: Record<string, string>, body: string): RequestInit => ({
    method: 'POST',
    headers: { 'X-MEXC-APIKEY': apiKey, ...headers },
    body,
  });
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  test.each<[string, string, RequestInit, number, RegExp]>([
    [
      'a body of another content type',
      '/api/v3/order',
      order({ 'content-type': 'text/xml' }, '<a/>'),
      400,
      /700013.*content Type/,
    ],
    [
      'a form where parameters go into the query',
      '/api/v3/order',
      order(form, 'symbol=BTCUSDC'),
      400,
      /700013/,
    ],
    ['no timestamp', '/api/v3/account', { headers: { 'X-MEXC-APIKEY': apiKey } }, 400, /44444.*timestamp/],
    [
      'an unknown key',
      '/api/v3/account?timestamp=1&signature=00',
      { headers: { 'X-MEXC-APIKEY': 'PLANTED' } },
      401,
      /10072(?!.*PLANTED)/,
    ],
    ['an unknown symbol', '/api/v3/depth?symbol=NOPE', {}, 400, /10007/],
    ['a symbol of 10,000 characters', `/api/v3/depth?symbol=${'X'.repeat(10_000)}`, {}, 400, /10007/],
    ['text for a number', '/api/v3/depth?symbol=BTCUSDC&limit=ten', {}, 400, /700008.*'limit'.*\[0-9\]/],
    ['an address that does not end', `/api/v3/depth?symbol=${'X'.repeat(200_000)}`, {}, 431, /^$/],
    ['a path that is not there', '/api/v3/nothing', {}, 404, /Not Found/],
    ['another method', '/api/v3/depth?symbol=BTCUSDC', { method: 'PATCH' }, 404, /Not Found/],
  ])('%s is refused over REST', async (_, path, init, status, said) => {
    const answer = await fetch(venue.rest + path, init);
    expect(await answer.text()).toMatch(said);
    expect(answer.status).toBe(status);
  });

  test('a request that comes byte by byte is not waited for', async () => {
    const socket = connect(Number(new URL(venue.rest).port), '127.0.0.1');
    socket.write('GET /api/v3/ping HTTP/1.1\r\nHost: x\r\n');
    const dripping = setInterval(() => socket.write('X-Slow: yes\r\n'), idleMs / 10);
    await closed(socket).finally(() => clearInterval(dripping));
  });

  const subscribe = (...params: unknown[]) => JSON.stringify({ method: 'SUBSCRIPTION', params });
  test.each<[string, string[], RegExp]>([
    ['text that is no JSON', ['hello'], /Invalid message/],
    ['an unknown method', ['{"method":"FLY"}'], /Invalid method/],
    ['subscriptions that are no list', ['{"method":"SUBSCRIPTION","params":"x"}'], /Invalid message/],
    [
      'an unknown channel',
      [subscribe('spot@public.nothing.v3.api.pb@BTCUSDC')],
      /Not Subscribed.*nothing.*Blocked/,
    ],
    [
      'an unknown symbol',
      [subscribe('spot@public.aggre.depth.v3.api.pb@100ms@NOPE')],
      /Not Subscribed.*NOPE.*Blocked/,
    ],
    ['a message of two megabytes', ['x'.repeat(2_000_000)], /closed/],
    [
      'more messages than are allowed',
      Array.from({ length: 300 }, () => '{"method":"PING"}'),
      /too many messages/,
    ],
  ])('%s is refused over WebSocket', async (_, messages, said) => {
    const socket = new WebSocket(venue.ws);
    const heard: string[] = [];
    socket.onmessage = ({ data }) => heard.push(String(data));
    socket.onclose = ({ code, reason }) => heard.push(`closed ${code} ${reason}`);
    socket.onopen = () => {
      for (const message of messages) socket.send(message);
    };
    await until(`${said} among what was heard`, 10_000, () => heard.some((text) => said.test(text)));
    socket.close();
  });
});

describe('the core', () => {
  let run: LocalRun;
  let maker: string;
  let sockets: Map<string, string>;

  async function tokenOf(instance: string): Promise<string> {
    const secret = await run.client.of(Secrets).get({ namespace, name: `${instance}-token` });
    return Buffer.from(secret.data?.['token'] ?? '', 'base64').toString();
  }

  async function trades(): Promise<void> {
    const before = (await run.audit()).orders.length;
    await until('new orders', 30_000, async () => (await run.audit()).orders.length > before + 3);
  }

  beforeAll(async () => {
    run = await LocalRun.start();
    await trades();
    const { items } = await run.client.of(resourceOf('StrategyInstance')).list({ namespace });
    const names = items.map(({ metadata }) => metadata.name);
    maker = names.find((name) => name.startsWith('imbalance-maker')) ?? '';
    const { createHash } = await import('node:crypto');
    sockets = new Map(
      names.map((name) => {
        const folder = createHash('sha256').update(name).digest('hex').slice(0, 10);
        return [name, globSync(join(run.folder, `n/host/run/flashpod/*/i/${folder}/core.sock`))[0] ?? ''];
      }),
    );
  });

  afterAll(async () => {
    // Nothing was lost by any of it.
    await trades();
    const { report } = await run.stop();
    expect(report.differences).toEqual([]);
    expect(report.ledgerEqualsVenue).toBe(true);
  });

  type Up = MessageInitShape<typeof SessionUpSchema>;

  /** Says these things on the maker's socket; gives what ended the session. */
  async function session(...messages: Up[]): Promise<ServiceError> {
    const client = makeClient(StrategyService, `unix:${sockets.get(maker)}`, undefined, {
      'grpc.max_send_message_length': -1,
    });
    const stream = client.session();
    const end = new Promise<ServiceError>((resolve) => stream.on('error', resolve));
    stream.on('data', () => {});
    for (const message of messages) stream.write(create(SessionUpSchema, message));
    return end.finally(() => client.close());
  }

  const hello = (instance: string, token: string): Up => ({
    body: { case: 'hello', value: { instance, token } },
  });
  const other = () => [...sockets.keys()].find((name) => name !== maker) ?? '';

  test.each<[string, () => Promise<Up[]>, RegExp]>([
    ['a wrong token', async () => [hello(maker, 'wrong')], /^16 UNAUTHENTICATED: instance "imbalance-maker-/],
    [
      'the token of another instance',
      async () => [hello(maker, await tokenOf(other()))],
      /^16 UNAUTHENTICATED: instance "imbalance-maker-/,
    ],
    [
      'another instance on this socket',
      async () => [hello(other(), await tokenOf(other()))],
      /^16 UNAUTHENTICATED: instance "momentum-taker-.*not served on this socket/,
    ],
    [
      'a token of 10,000 characters',
      async () => [hello(maker, 'x'.repeat(10_000))],
      /^16 UNAUTHENTICATED(?!.*xxx)/,
    ],
    [
      'no hello first',
      async () => [{ body: { case: 'heartbeat', value: {} } }],
      /^9 FAILED_PRECONDITION: the first message of a session must be hello/,
    ],
    [
      'a message of a megabyte',
      async () => [hello('x'.repeat(1 << 20), '')],
      /(OUT_OF_RANGE|RESOURCE_EXHAUSTED).*too large/,
    ],
  ])('%s is refused', async (_, messages, said) => {
    const { message } = await session(...(await messages()));
    expect(message).toMatch(said);
  });

  test('bytes that are no gRPC end their connection only', async () => {
    for (const bytes of [Buffer.alloc(4_096, 0xff), Buffer.from('GET / HTTP/1.1\r\n\r\n')]) {
      const socket = connect(sockets.get(maker) ?? '');
      socket.write(bytes);
      await closed(socket);
    }
    await trades();
  });

  test('five hundred half-open connections keep nobody from trading', async () => {
    const flood = Array.from({ length: 500 }, () => connect(sockets.get(maker) ?? ''));
    let ended = 0;
    for (const socket of flood) void closed(socket).then(() => (ended += 1));
    await until('most of them to be closed by the core', 20_000, () => ended >= 480);
    await trades();
    for (const socket of flood) socket.destroy();
  });

  test('what the agent’s socket does not understand is refused with field and value', async () => {
    const socket = globSync(join(run.folder, 'n/host/run/flashpod/*/agent/agent.sock'))[0] ?? '';
    const say = async (value: Record<string, unknown>): Promise<string> => {
      const client = makeClient(AgentService, `unix:${socket}`);
      const stream = client.control();
      stream.on('data', () => {});
      const end = new Promise<ServiceError>((resolve) => stream.on('error', resolve));
      const lease = { account: 'main', ...value };
      stream.write(create(AgentUpSchema, { body: { case: 'leaseRenewed', value: lease } } as never));
      return (await end.finally(() => client.close())).message;
    };
    expect(await say({ epoch: 0n })).toMatch(/INVALID_ARGUMENT: lease_renewed\.epoch: 0/);
    expect(await say({ epoch: 1n, softDeadlineMs: 9, hardDeadlineMs: 8 })).toMatch(
      /INVALID_ARGUMENT: lease_renewed\.soft_deadline_ms: 9.*8/,
    );
    expect(await say({ account: 'mian', epoch: 1n, softDeadlineMs: 1, hardDeadlineMs: 2 })).toMatch(
      /NOT_FOUND: account "mian".*accepted: \["main"\]/,
    );
    await trades();
  });

  test('a flood of intents over a valid session does not hold up a halt', async () => {
    const client = makeClient(StrategyService, `unix:${sockets.get(maker)}`);
    const stream = client.session();
    stream.on('error', () => {});
    stream.on('data', () => {});
    stream.write(create(SessionUpSchema, hello(maker, await tokenOf(maker))));
    let flooding = true;
    let sent = 0;
    const flood = (): void => {
      // As much as is taken, and more as soon as there is room.
      while (flooding) {
        sent += 1;
        const intent = { ref: `f${sent}`, symbol: 'BTCUSDC', side: 1, type: 1, price: '1', quantity: '0.1' };
        const message = create(SessionUpSchema, { body: { case: 'intent', value: intent } } as never);
        if (!stream.write(message)) return void stream.once('drain', flood);
        if (sent % 500 === 0) return void setImmediate(flood);
      }
    };
    flood();
    await until('a flood', 20_000, () => sent > 20_000);
    const halts = run.client.of(resourceOf('Halt'));
    await halts.create({
      apiVersion: 'trading.flashpod.dev/v1alpha1',
      kind: 'Halt',
      metadata: { name: 'in-a-flood', namespace },
      spec: { selector: { all: true }, action: 'Cancel', reason: 'a test' },
    });
    await until('the halt to be reached', 10_000, async () => {
      const { status } = await halts.get({ namespace, name: 'in-a-flood' });
      return status?.reached?.[0]?.cancelsSentAt !== undefined;
    });
    flooding = false;
    client.close();
    await halts.delete({ namespace, name: 'in-a-flood' });
    await trades();
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { afterAll, expect, test } from 'vitest';
import {
  AgentService,
  create,
  LedgerReplySchema,
  LedgerRequestSchema,
  makeClient,
  type SessionDown,
  SessionDownSchema,
  SessionUpSchema,
  StrategyService,
  serve,
} from './index.js';

const beyondDouble = 2n ** 63n + 1n;

const folder = mkdtempSync(join(tmpdir(), 'fp-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let servers = 0;

async function listen(server: grpc.Server): Promise<string> {
  const address = `unix:${join(folder, `${servers++}.sock`)}`;
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    ),
  );
  return address;
}

test('a bidirectional stream carries messages both ways with 64-bit integers intact', async () => {
  const server = new grpc.Server();
  serve(server, StrategyService, {
    session(call) {
      call.on('data', (up) => {
        if (up.body.case !== 'heartbeat') return;
        const body = { case: 'heartbeat', value: up.body.value } as const;
        call.write(create(SessionDownSchema, { body }));
      });
      call.on('end', () => call.end());
    },
  });
  const client = makeClient(StrategyService, await listen(server));
  const stream = client.session();
  const replied = new Promise<SessionDown>((resolve) => stream.once('data', resolve));
  stream.write(create(SessionUpSchema, { body: { case: 'heartbeat', value: { monoNs: beyondDouble } } }));
  expect((await replied).body).toMatchObject({ case: 'heartbeat', value: { monoNs: beyondDouble } });
  const ended = new Promise((resolve) => stream.once('status', resolve));
  stream.end();
  await ended;
  client.close();
  server.forceShutdown();
});

test('a unary call answers with a message, or with the status the handler gave', async () => {
  const server = new grpc.Server();
  serve(server, AgentService, {
    control: (call) => call.end(),
    ledger(call, reply) {
      if (call.request.account !== 'main') reply({ code: grpc.status.NOT_FOUND, details: 'no such account' });
      else reply(null, create(LedgerReplySchema, { account: 'main', quiescent: true }));
    },
  });
  const client = makeClient(AgentService, await listen(server));
  const ask = (account: string) =>
    new Promise((resolve, reject) =>
      client.ledger(create(LedgerRequestSchema, { account }), new grpc.Metadata(), {}, (error, reply) =>
        error ? reject(error) : resolve(reply),
      ),
    );
  await expect(ask('main')).resolves.toMatchObject({ account: 'main', quiescent: true });
  await expect(ask('other')).rejects.toMatchObject({ code: grpc.status.NOT_FOUND });
  client.close();
  server.forceShutdown();
});

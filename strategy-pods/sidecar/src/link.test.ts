import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, SessionUpSchema } from '@flashpod/proto';
import { expect, test } from 'vitest';
import { CoreLink } from './link.js';

async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('however often it could not connect, it then holds one connection', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'flashpod-link-'));
  const socket = join(folder, 'core.sock');
  let failures = 0;
  const link = new CoreLink({
    socket,
    hello: () => create(SessionUpSchema),
    events: { message: () => {}, down: () => (failures += 1), writable: () => {} },
    firstRetryMs: 5,
    maxRetryMs: 5,
  });
  link.start();
  await until(() => failures >= 20);

  const connections: Socket[] = [];
  const server = createServer((connection) => void connections.push(connection.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  await until(() => connections.length > 0);
  // Of a client for each attempt the others would come within the second of their own back-off.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(connections).toHaveLength(1);

  for (const connection of connections) connection.destroy();
  server.close();
  await link.close();
  rmSync(folder, { recursive: true, force: true });
});

import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import * as http from './http-server.js';
import { startApiServer } from './index.js';
import { StateDirectory } from './state/state-directory.js';

vi.mock('./http-server.js', { spy: true });

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fpb-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(directory, { recursive: true });
});

it('the kubeconfig is for its owner only, also in place of one that was not', async () => {
  const kubeconfigPath = join(directory, 'kubeconfig');
  writeFileSync(kubeconfigPath, 'of an earlier run', { mode: 0o644 });
  const server = await startApiServer({ kubeconfigPath });
  expect(statSync(kubeconfigPath).mode & 0o777).toBe(0o600);
  expect(readdirSync(directory)).toEqual(['kubeconfig']);
  await server.stop();
});

it('a server that cannot write its kubeconfig does not go on to listen', async () => {
  const kubeconfigPath = join(directory, 'absent', 'kubeconfig');
  await expect(startApiServer({ kubeconfigPath })).rejects.toThrow('ENOENT');
  const [listening] = vi.mocked(http.listen).mock.results;
  if (listening?.type !== 'return') throw new Error('it never listened');
  const { url } = await listening.value;
  const refused = await new Promise<string | undefined>((resolve) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => resolve(undefined));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
  });
  expect(refused).toBe('ECONNREFUSED');
});

it('a state folder without room for the first objects is named as the cause, and is free again', async () => {
  vi.spyOn(StateDirectory.prototype, 'append').mockImplementation(() => {
    throw new Error('ENOSPC: no space left on device, write');
  });
  const stateDir = join(directory, 'state');
  await expect(startApiServer({ stateDir })).rejects.toMatchObject({
    code: 'local.state-directory',
    message: expect.stringContaining('the state cannot be written: ENOSPC'),
  });
  expect(readdirSync(stateDir)).toEqual(['objects.0.log']);
});

// The process as the pod runs it: exit codes, what it writes, and its end.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ScriptedCore } from './scripted-core.js';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const token = 'secret-token-of-the-test';
let env: Record<string, string>;
let core: ScriptedCore;
let child: ChildProcess | undefined;

beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'fp-'));
  writeFileSync(join(folder, 'token'), `${token}\n`);
  env = {
    FLASHPOD_INSTANCE: 'maker-0a1b2c3d',
    FLASHPOD_SOCKET: join(folder, 'core.sock'),
    FLASHPOD_TOKEN_FILE: join(folder, 'token'),
    FLASHPOD_HTTP_PORT: '0',
  };
  core = new ScriptedCore(token);
});

afterEach(() => {
  child?.kill('SIGKILL');
  core.kill();
});

class Run {
  stderr = '';
  readonly exited: Promise<number>;
  readonly #child: ChildProcess;
  #waiters: (() => void)[] = [];

  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, [main, ...args], { env, stdio: ['ignore', 'inherit', 'pipe'] });
    child = this.#child;
    this.#child.stderr?.on('data', (chunk) => {
      this.stderr += chunk;
      for (const wake of this.#waiters.splice(0)) wake();
    });
    this.exited = once(this.#child, 'close').then(([code]) => code as number);
  }

  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.stderr);
      if (match) return match;
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  terminate(): void {
    this.#child.kill('SIGTERM');
  }
}

test.each([
  [['--strategy', 'grid'], /strategy "grid" is not built in; accepted: imbalance-maker, momentum-taker/],
  [[], /--strategy is missing; accepted: --strategy NAME/],
  [['--strategy', 'imbalance-maker', '--fast'], /'--fast'.*accepted: --strategy NAME/],
])('refuses %j with what is accepted and exit code 2', async (args, message) => {
  const run = new Run(args);
  expect(await run.exited).toBe(2);
  expect(run.stderr).toMatch(message);
});

test('refuses a missing or unreadable environment with exit code 2', async () => {
  env = { ...env, FLASHPOD_TOKEN_FILE: '/nowhere/token' };
  const unreadable = new Run(['--strategy', 'imbalance-maker']);
  expect(await unreadable.exited).toBe(2);
  expect(unreadable.stderr).toContain('token file /nowhere/token cannot be read (ENOENT)');
  const { FLASHPOD_INSTANCE: _, ...rest } = env;
  env = rest;
  const missing = new Run(['--strategy', 'imbalance-maker']);
  expect(await missing.exited).toBe(2);
  expect(missing.stderr).toContain('FLASHPOD_INSTANCE is not set; accepted: the name of a StrategyInstance');
});

test('ends with exit code 3 on parameters that the strategy refuses', async () => {
  core.welcome = { ...core.welcome, parametersJson: '{"orderNotional":"-5"}' };
  await core.listen(env['FLASHPOD_SOCKET'] as string);
  const run = new Run(['--strategy', 'imbalance-maker']);
  expect(await run.exited).toBe(3);
  expect(run.stderr).toContain('parameters.orderNotional is \\"-5\\"; accepted: text that matches');
});

test('answers probes, shows metrics, and on SIGTERM pulls its quotes and exits 0 without a word of the token', async () => {
  const run = new Run(['--strategy', 'imbalance-maker']);
  const [, address] = await run.says(/"address":"([^"]+)"/);
  const get = (path: string) => fetch(`http://${address}${path}`);
  expect((await get('/healthz')).status).toBe(200);
  expect((await get('/readyz')).status).toBe(503);
  await core.listen(env['FLASHPOD_SOCKET'] as string);
  await core.nth('hello');
  const book = { symbol: 'BTCUSDC', version: 1n, certified: true };
  const levels = { bidPrices: [100], bidQuantities: [2], askPrices: [100.01], askQuantities: [2] };
  core.send({ case: 'book', value: { ...book, ...levels } });
  expect((await core.nth('wantedQuotes')).quotes).toHaveLength(2);
  expect((await get('/readyz')).status).toBe(200);
  const metrics = await (await get('/metrics')).text();
  for (const line of [
    'flashpod_sidecar_books_total{symbol="BTCUSDC"} 1',
    'flashpod_sidecar_decision_seconds_count{event="book"} 1',
    'flashpod_sidecar_connected 1',
  ]) {
    expect(metrics).toContain(line);
  }
  expect(metrics).toContain('nodejs_eventloop_lag_p99_seconds');
  run.terminate();
  expect(await run.exited).toBe(0);
  expect(core.all('wantedQuotes').at(-1)?.quotes).toEqual([]);
  expect(run.stderr).not.toContain(token);
});

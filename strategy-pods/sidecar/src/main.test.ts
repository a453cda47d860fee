// The process as the pod runs it: exit codes, what it writes, and its end.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ScriptedCore } from './scripted-core.js';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const token = 'secret-token-of-the-test';
let folder: string;
let env: Record<string, string>;
let core: ScriptedCore;
let child: ChildProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fp-'));
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
  rmSync(folder, { recursive: true, force: true });
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
  [
    ['--strategy', 'grid'],
    /strategy "grid" is not built in; accepted: imbalance-maker, momentum-taker, touch-maker/,
  ],
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

/** A package with a strategy whose onTimer does this. */
function packageWith(onTimer: string): string[] {
  writeFileSync(join(folder, 'package.json'), '{"type":"module","main":"index.js"}');
  writeFileSync(
    join(folder, 'index.js'),
    `export default {
      name: 'odd', version: '1', description: 'for tests', timerMs: 5, memory: () => undefined,
      parameters: { safeParse: () => ({ success: true, data: {} }) },
      onTimer() { ${onTimer} },
    };`,
  );
  return ['--strategy', 'odd', '--package', folder];
}

async function begin(args: string[]): Promise<string> {
  await core.listen(env['FLASHPOD_SOCKET'] ?? '');
  const run = new Run(args);
  const [, address] = await run.says(/"address":"([^"]+)"/);
  return `http://${address}`;
}

test('a promise that nobody waits for ends the strategy when it is rejected, not the process', async () => {
  const address = await begin(packageWith("Promise.reject(new Error('nobody listens'))"));
  expect(await core.nth('failure')).toMatchObject({
    reason: 'what it left running threw: Error: nobody listens',
  });
  const ready = await fetch(`${address}/readyz`);
  expect(ready.status).toBe(503);
  expect(await ready.text()).toContain('nobody listens');
  expect((await fetch(`${address}/healthz`)).status).toBe(200);
  child?.kill('SIGTERM');
  expect(await once(child as ChildProcess, 'close')).toEqual([0, null]);
});

test('a callback that never returns answers no probe, so that the kubelet ends it', async () => {
  const address = await begin(packageWith('for (;;);'));
  await core.nth('hello');
  // As the kubelet asks: a second, then the probe counts as failed.
  const probe = () => fetch(`${address}/healthz`, { signal: AbortSignal.timeout(1_000) });
  await vi.waitFor(() => expect(probe()).rejects.toThrow(/aborted|timeout/), { timeout: 15_000 });
});

test('a callback that holds the process for a second is counted and named', async () => {
  const address = await begin(
    packageWith(
      'const end = Date.now() + 1_050; while (!globalThis.held && Date.now() < end); globalThis.held = true;',
    ),
  );
  await vi.waitFor(
    async () =>
      expect(await (await fetch(`${address}/metrics`)).text()).toContain(
        'flashpod_sidecar_loop_held_total{event="timer"} 1',
      ),
    { timeout: 15_000 },
  );
});

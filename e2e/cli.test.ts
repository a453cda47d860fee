// What a user sees of a run through the command: status, describe, logs, and what a shell completes.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LocalRun } from './local-run.ts';
import { checkout, until } from './shared.ts';

let run: LocalRun;
beforeAll(async () => {
  run = await LocalRun.start();
});
afterAll(async () => {
  await run.stop();
});

const healthy = () =>
  until('a healthy run', 30_000, async () => {
    const result = await run.flashpod(['status']);
    return result.code === 0 && result;
  });

test('status is healthy once all trade, shows everything on one screen, and says in JSON the same', async () => {
  const { output } = await healthy();
  for (const part of ['CORE', 'LEASE AGE', 'CERTIFIED', 'imbalance-maker', 'momentum-taker', 'healthy'])
    expect(output).toContain(part);
  const { output: json } = await run.flashpod(['status', '-o', 'json']);
  expect(JSON.parse(json)).toMatchObject({ healthy: true, problems: [] });
});

test('a halt makes it unhealthy, by exit code and in words; lifted, it is well again', async () => {
  await run.flashpod(['halt', '--strategy', 'momentum-taker', '--name', 'lunch', '--reason', 'lunch']);
  const { code, output } = await run.flashpod(['status']);
  expect(code).toBe(3);
  expect(output).toContain('halt lunch is in force: Cancel, lunch');
  const described = await run.flashpod(['describe', 'halt', 'lunch']);
  expect(described.output).toMatch(/Halt default\/lunch[\s\S]*reached/);
  await run.flashpod(['halt', '--lift', 'lunch']);
  await healthy();
});

test('describe shows conditions, positions, orders and events of a strategy, and a core its books', async () => {
  const strategy = await run.flashpod(['describe', 'strategy', 'imbalance-maker']);
  for (const part of ['Conditions:', 'Positions:', 'Orders:', 'Events:', 'InstanceCreated', 'What to do:'])
    expect(strategy.output).toContain(part);
  const core = await run.flashpod(['describe', 'core', 'core', '-o', 'json']);
  expect(JSON.parse(core.output).object.status.books).not.toEqual([]);
  const none = await run.flashpod(['describe', 'strategy', 'nobody']);
  expect(none.code).toBe(5);
  expect(none.output).toContain('"nobody" not found');
});

test.each([
  ['strategy', 'imbalance-maker', /"msg":"session open"/],
  ['core', 'core', /"level":"INFO"/i],
  ['agent', 'core', /"msg":/],
])('logs of the %s %s are those of its process', async (what, name, line) => {
  const { code, output } = await run.flashpod(['logs', what, name]);
  expect(output).toMatch(line);
  expect(code).toBe(0);
  const { output: last } = await run.flashpod(['logs', what, name, '--tail', '1']);
  expect(last.trimEnd().split('\n')).toHaveLength(1);
});

test('bash completes commands, kinds, and the names of what runs', async () => {
  const script = [
    'source <(flashpod completion bash)',
    'COMP_WORDS=(flashpod describe strategy im); COMP_CWORD=3; _flashpod; echo "$COMPREPLY"',
    'COMP_WORDS=(flashpod desc); COMP_CWORD=1; _flashpod; echo "$COMPREPLY"',
  ].join('\n');
  const PATH = `${join(checkout, 'node_modules/.bin')}:${process.env['PATH']}`;
  const env = { ...process.env, PATH, KUBECONFIG: run.kubeconfig };
  const { stdout } = await promisify(execFile)('bash', ['-c', script], { env });
  expect(stdout.trim().split('\n')).toEqual(['imbalance-maker', 'describe']);
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { resourceOf } from '../operator/src/cli/kinds.ts';
import { LocalRun, runFlashpod } from './local-run.ts';
import { checkout } from './shared.ts';

const sample = readFileSync(join(checkout, 'crds/samples/imbalance-maker.yaml'), 'utf8').replace(
  'name: imbalance-maker\nspec',
  'name: wrong\nspec',
);
let applied = 0;
const folder = mkdtempSync(join(tmpdir(), 'flashpod-e2e-'));
let run: LocalRun;

beforeAll(async () => {
  run = await LocalRun.start();
});

afterAll(async () => {
  const { report } = await run.stop();
  rmSync(folder, { recursive: true, force: true });
  expect(report.ledgerEqualsVenue).toBe(true);
  // Nothing wrong ever traded.
  expect(report.strategies.map(({ name }) => name)).not.toContain('wrong');
});

/** Applies the sample with one thing changed. */
function applyChanged(from: string | RegExp, to: string) {
  // A name of its own each time: what is refused by the operator stays, for its user to correct.
  applied += 1;
  const named = sample.replace('name: wrong', `name: wrong-${applied}`);
  const manifest = named.replace(from, to);
  expect(manifest).not.toBe(named);
  return run.flashpod(['apply', '-f', '-'], manifest);
}

test.each([
  [
    'an unknown strategy',
    'strategy: imbalance-maker',
    'strategy: imbalance-mker',
    [/spec\.strategy/, /imbalance-mker/, /imbalance-maker/, /momentum-taker/],
  ],
  ['an unknown account', 'name: main', 'name: mian', [/spec\.accountRef/, /mian/, /main/]],
  ['an unknown symbol', '[BTCUSDC, ETHUSDC]', '[BTCUSDC, ETHUSDX]', [/spec\.symbols/, /ETHUSDX/, /ETHUSDC/]],
  [
    'an unknown parameter',
    'orderNotional: "200"',
    'orderNotionl: "50"',
    [/spec\.parameters/, /orderNotionl/, /orderNotional/],
  ],
  [
    'a bad decimal',
    'maxOrderNotional: "2000"',
    'maxOrderNotional: "2e3"',
    [/spec\.risk\.maxOrderNotional/, /2e3/],
  ],
  [
    'limits out of order',
    'maxPositionNotional: "10000"',
    'maxPositionNotional: "10"',
    [/maxOrderNotional/, /maxPositionNotional/],
  ],
  ['a field that does not exist', 'mode: Live', 'mode: Live\n  leverage: 10', [/leverage/]],
  ['a mode that does not exist', 'mode: Live', 'mode: Turbo', [/spec\.mode/, /Turbo/, /Paper/, /Live/]],
])('%s is refused with field, value and what is accepted', async (_, from, to, said) => {
  const { code, output } = await applyChanged(from, to);
  expect(code).toBe(1);
  for (const part of said) expect(output).toMatch(part);
});

test('what was refused can be corrected under the same name', async () => {
  const refused = await run.flashpod(['apply', '-f', '-'], sample.replace('[BTCUSDC, ETHUSDC]', '[BTCUSDX]'));
  expect(refused.code).toBe(1);
  const suspended = sample.replace('mode: Live', 'mode: Live\n  suspended: true');
  const { code, output } = await run.flashpod(['apply', '-f', '-'], suspended);
  expect(output).toContain('configured');
  expect(code).toBe(0);
});

test('an account with the Secret of another is refused, and the other trades on', async () => {
  const account = readFileSync(join(checkout, 'crds/samples/account.yaml'), 'utf8');
  const { code, output } = await run.flashpod(
    ['apply', '-f', '-'],
    account.replace('name: main', 'name: twin'),
  );
  expect(output).toMatch(
    /"twin" is not accepted: spec\.credentialsSecretRef\.name: "mexc-credentials" .*account main/,
  );
  expect(code).toBe(1);
  const main = await run.client.of(resourceOf('TradingAccount')).get({ namespace: 'default', name: 'main' });
  expect(main.status?.conditions?.find(({ type }) => type === 'Accepted')?.status).toBe('True');
});

test('a halt of what is not there says that it selects nothing', async () => {
  const { code, output } = await run.flashpod(['halt', '--strategy', 'nosuch', '--name', 'nobody']);
  expect(output).toContain(
    'halt/nobody in force: selects nothing now: no strategy nosuch in namespace default; it will act on one that appears',
  );
  expect(code).toBe(0);
  expect((await run.flashpod(['get', 'halts', 'nobody'])).output).toMatch(/nosuch +False/);
  await run.flashpod(['halt', '--lift', 'nobody']);
});

test.each([
  [['up', '--for', 'soon'], '--for: "soon" is not accepted'],
  [['up', '--replay', '/no/such/file'], '--replay: "/no/such/file" is not accepted: give a file that exists'],
  [['up', '--speed', 'warp'], '--speed: "warp" is not accepted'],
  [['up', '--wings'], "unknown option '--wings'"],
  [['get', 'podz'], 'kind: "podz" is not accepted: give one of'],
  [['halt'], '--all, or at least one --strategy'],
  [
    ['halt', '--all', '--action', 'Explode'],
    '--action: "Explode" is not accepted: give one of Block, Cancel, Flatten',
  ],
  [['apply', '-f', '/no/such.yaml'], '-f: "/no/such.yaml" is not accepted'],
])('flashpod %j names what is wrong', async (args, said) => {
  const { code, output } = await runFlashpod(args, { KUBECONFIG: run.kubeconfig });
  expect(output).toContain(said);
  expect(code).toBe(2);
});

test('files that are no manifests or recordings are named', async () => {
  const text = join(folder, 'notes.txt');
  writeFileSync(text, 'hello: [world\n');
  const manifest = await run.flashpod(['apply', '-f', text]);
  expect(manifest.output).toContain(text);
  expect(manifest.code).toBe(2);
  const replay = await runFlashpod(['up', '--replay', text]);
  expect(replay.output).toContain(`--replay: ${JSON.stringify(text)} is not accepted`);
  expect(replay.code).toBe(2);
});

test('a switch that the venue does not have ends the start with its name', async () => {
  const { code, output } = await runFlashpod([
    'up',
    '--venue-set',
    'noSuchSwitch=1',
    '--for',
    '5s',
    '--headless',
  ]);
  expect(output).toContain('noSuchSwitch');
  expect(code).not.toBe(0);
});

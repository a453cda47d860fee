// The tutorial as its reader follows it: every command of docs/your-first-strategy.md, in a folder elsewhere, under
// the Node that runs npm there. What is shown at the end is what `flashpod init` promises.

import { execFile } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import type { Report } from '../operator/src/cli/up/report.ts';
import { checkout } from './shared.ts';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'flashpod-first-strategy-'));
const project = join(folder, 'my-strategy');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Block {
  readonly language: string;
  readonly append: string | undefined;
  readonly text: string;
}

function blocks(markdown: string): Block[] {
  const fence = /^```(\w+)(?: append=(\S+))?\n([\s\S]*?)^```$/gm;
  return [...markdown.matchAll(fence)].map(([, language = '', append, text = '']) => ({
    language,
    append,
    text,
  }));
}

const tutorial = blocks(readFileSync(join(checkout, 'docs/your-first-strategy.md'), 'utf8'));
/** The reader has a PATH without the tools of the checkout. */
const env = {
  ...process.env,
  FLASHPOD: checkout.replace(/\/$/, ''),
  PATH: (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((part) => !part.includes('node_modules'))
    .join(delimiter),
};

async function shell(text: string): Promise<string> {
  const cwd = existsSync(project) ? project : folder;
  try {
    const { stdout, stderr } = await run('bash', ['-ec', text], { cwd, env, maxBuffer: 64 << 20 });
    return stdout + stderr;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`the tutorial's command\n${text}\nfailed:\n${stdout}${stderr}`);
  }
}

test('every command of the tutorial works, and the strategy that it makes passes its tests and trades', async () => {
  const said: string[] = [];
  for (const { language, append, text } of tutorial) {
    if (append !== undefined) appendFileSync(join(project, append), text);
    else if (language === 'sh') said.push(await shell(text));
  }
  const [made, tested, traded, report, changed, schema] = said;
  expect(said).toHaveLength(6);
  expect(made).toContain(`made ${project}`);
  expect(tested).toMatch(/pass 4[\s\S]*fail 0/);
  expect(traded).toContain("ledger equals the venue's books");
  expect(report).toContain("name: 'my-strategy'");
  expect(changed).toMatch(/pass 5[\s\S]*fail 0/);
  expect(schema).toContain('trading.flashpod.dev/parameters-schema');

  const { ledgerEqualsVenue, strategies, gaps, http429 } = JSON.parse(
    readFileSync(join(project, 'report.json'), 'utf8'),
  ) as Report;
  expect({ ledgerEqualsVenue, gaps, http429 }).toEqual({ ledgerEqualsVenue: true, gaps: 0, http429: 0 });
  expect(strategies).toMatchObject([{ name: 'my-strategy', symbol: 'BTCUSDC' }]);
  expect(strategies[0]?.acceptedOrders).toBeGreaterThan(0);
});

test('a test that should fail is one that fails: the example of the tutorial without its change', async () => {
  await shell('mv src/index.ts.bak src/index.ts');
  await expect(shell('npm test')).rejects.toThrow(
    /quotes no bid into a book that is all asks[\s\S]*"price":"60000"/,
  );
});

// `npm run audit`: known advisories against what the lock files pin. Exit code 0: none; 1: some, they are listed;
// 3: a source of advisories could not be asked, which is said and is no clean bill.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { bin, root } from './parts.ts';

type Verdict = 'clean' | 'advisories' | 'unknown';

interface NpmAudit {
  metadata?: { vulnerabilities?: Record<string, number> };
  vulnerabilities?: Record<string, { severity: string; range: string }>;
  message?: string;
  error?: { summary?: string };
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function npm(): Verdict {
  const command = process.env['npm_execpath'];
  const [program, ...first] = command === undefined ? ['npm'] : [bin('node'), command];
  const { stdout, error } = spawnSync(program as string, [...first, 'audit', '--json'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  let answer: NpmAudit = {};
  try {
    answer = JSON.parse(stdout) as NpmAudit;
  } catch {
    // Not even JSON: said below.
  }
  if (answer.metadata?.vulnerabilities === undefined) {
    const why = answer.message ?? answer.error?.summary ?? error?.message ?? 'it gave no answer';
    say(`npm: not checked: the registry was asked for advisories and refused: ${why}`);
    say('  what to do: run `npm run audit` where registry.npmjs.org answers POST requests');
    return 'unknown';
  }
  const found = Object.entries(answer.vulnerabilities ?? {});
  for (const [name, { severity, range }] of found) say(`npm: ${name} ${range}: ${severity}`);
  say(`npm: ${found.length === 0 ? 'no known advisory' : `${found.length} packages with advisories`}`);
  return found.length === 0 ? 'clean' : 'advisories';
}

interface CargoAudit {
  vulnerabilities: {
    list: { advisory: { id: string; title: string }; package: { name: string; version: string } }[];
  };
}

function cargo(): Verdict {
  const { stdout, stderr, error } = spawnSync('cargo', ['audit', '--json'], {
    cwd: join(root, 'core-engine'),
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  let answer: CargoAudit | undefined;
  try {
    answer = JSON.parse(stdout) as CargoAudit;
  } catch {
    // Not even JSON: said below.
  }
  if (answer === undefined) {
    const missing = /no such (sub)?command/.test(stderr);
    const why = missing ? 'cargo-audit is not installed' : stderr || error?.message || 'it gave no answer';
    say(`cargo: not checked: ${why.trim().split('\n').join('\n  ')}`);
    say(
      missing
        ? '  what to do: cargo install --locked cargo-audit'
        : '  what to do: run `npm run audit` where https://github.com/RustSec/advisory-db can be fetched',
    );
    return 'unknown';
  }
  const { list } = answer.vulnerabilities;
  for (const {
    advisory,
    package: { name, version },
  } of list)
    say(`cargo: ${name} ${version}: ${advisory.id} ${advisory.title}`);
  say(`cargo: ${list.length === 0 ? 'no known advisory' : `${list.length} advisories`}`);
  return list.length === 0 ? 'clean' : 'advisories';
}

const verdicts = [npm(), cargo()];
process.exitCode = verdicts.includes('advisories') ? 1 : verdicts.includes('unknown') ? 3 : 0;
if (process.exitCode === 3) say('audit: incomplete; this is no statement that there are no advisories');

// The dependency rule of ARCHITECTURE.md, checked on what the manifests and the imports say.
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { cargoManifest, root } from './parts.ts';

/** Crates that do no I/O: which crates of the workspace each may use, and that none may touch the outside. */
const pure: Record<string, string[]> = {
  'flashpod-types': [],
  'flashpod-book': ['flashpod-types'],
  'flashpod-mexc': ['flashpod-types'],
  'flashpod-risk': ['flashpod-types'],
  'flashpod-rules': ['flashpod-types'],
  'flashpod-orders': ['flashpod-types', 'flashpod-mexc', 'flashpod-risk'],
  'flashpod-matching': ['flashpod-types'],
  'flashpod-backtest': ['flashpod-types', 'flashpod-book', 'flashpod-matching', 'flashpod-recordings'],
  'flashpod-engine': [
    'flashpod-types',
    'flashpod-book',
    'flashpod-mexc',
    'flashpod-risk',
    'flashpod-rules',
    'flashpod-orders',
    'flashpod-matching',
  ],
};
const outside = [
  'tokio',
  'tonic',
  'hyper',
  'axum',
  'rustls',
  'tokio-rustls',
  'fastwebsockets',
  'socket2',
  'reqwest',
];

interface Package {
  name: string;
  dependencies: { name: string; kind: string | null }[];
}

function cratesThatBreakTheRule(): string[] {
  const args = ['metadata', '--no-deps', '--format-version', '1', '--locked', ...cargoManifest];
  const options = { cwd: root, encoding: 'utf8', maxBuffer: 64 << 20 } as const;
  const { stdout, stderr, status, error } = spawnSync('cargo', args, options);
  if (status !== 0) throw new Error(`cargo metadata failed: ${error?.message ?? stderr}`);
  const { packages } = JSON.parse(stdout) as { packages: Package[] };
  const complaints: string[] = [];
  for (const [name, allowed] of Object.entries(pure)) {
    const found = packages.find((candidate) => candidate.name === name);
    if (!found) {
      complaints.push(`${name}: no such crate`);
      continue;
    }
    for (const { name: used } of found.dependencies.filter(({ kind }) => kind === null)) {
      if (outside.includes(used)) complaints.push(`${name} is pure and must not depend on ${used}`);
      if (used.startsWith('flashpod-') && !allowed.includes(used)) {
        complaints.push(`${name} must not depend on ${used}; it may use: ${allowed.join(', ') || 'nothing'}`);
      }
    }
  }
  return complaints;
}

/** In TypeScript: folders of the operator, and what their files must not import (path prefixes or packages). */
const forbidden: [folder: string, imports: RegExp, why: string][] = [
  [
    'operator/src/kube',
    // But for the shape that every object of Kubernetes has.
    /operator\/src\/(api|strategy|account|fleet|halt|agent|local|cli)\/|@flashpod\/(?!crds\/object$)/,
    'kube/ knows nothing of trading',
  ],
  [
    'operator/src/local',
    /operator\/src\/(strategy|account|fleet|halt|agent)\/|@grpc\//,
    'local/ is a Kubernetes, not an operator',
  ],
  ['strategy-pods/sdk', /@grpc\/|node:net|node:http/, 'the SDK does no I/O'],
  ['strategy-pods/strategies', /@grpc\/|node:|@flashpod\/(sidecar|operator)/, 'a strategy does no I/O'],
];
/** Planners are pure: they import no client, no clock, no file system. */
const planner = /(^|\/)(plan|policy)(-[a-z]+)?\.ts$/;
const client =
  /\/kube\/(http|client|reflector|controller|lease|leader|events)\b|@kubernetes\/|undici|node:(fs|net|http|child_process|timers)/;

function importsThatBreakTheRule(): string[] {
  const complaints: string[] = [];
  const files = globSync('{operator,strategy-pods,crds}/**/src/**/*.ts', { cwd: root }).filter(
    (file) => !/node_modules|\.test\.ts$|\/testing\//.test(file),
  );
  for (const file of files) {
    const source = readFileSync(join(root, file), 'utf8');
    for (const [, specifier] of source.matchAll(/^(?:import|export)\s(?:(?!;)[^'])*?from '([^']+)'/gm)) {
      if (specifier === undefined) continue;
      const target = specifier.startsWith('.')
        ? relative(root, join(root, dirname(file), specifier))
        : specifier;
      for (const [folder, imports, why] of forbidden) {
        if (file.startsWith(folder) && imports.test(target))
          complaints.push(`${file} imports ${specifier}: ${why}`);
      }
      if (planner.test(file) && client.test(target))
        complaints.push(`${file} imports ${specifier}: planners are pure`);
    }
  }
  return complaints;
}

const complaints = [...cratesThatBreakTheRule(), ...importsThatBreakTheRule()];
for (const complaint of complaints) process.stderr.write(`${complaint}\n`);
process.stdout.write(
  complaints.length === 0 ? 'the dependency rule holds\n' : `${complaints.length} breaches\n`,
);
process.exitCode = complaints.length === 0 ? 0 : 1;

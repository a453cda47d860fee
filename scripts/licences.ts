// The licence of every package that we build with, direct or not, against a list. Part of `npm run check`.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { goLicences } from './kubernetes/licences.ts';
import { cargoManifest, root } from './parts.ts';
import { notAccepted } from './spdx.ts';

/** Permissive: what we ship may be used, changed and sold by anyone who keeps the notices. */
const permissive = new Set([
  '0BSD',
  'Apache-2.0',
  'Apache-2.0 WITH LLVM-exception',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BSL-1.0',
  'CC0-1.0',
  'CDLA-Permissive-2.0',
  'ISC',
  'MIT',
  'PSF-2.0',
  'Python-2.0',
  'Unicode-3.0',
  'Unlicense',
  'Zlib',
]);
/** Of development tools, which we run and do not ship, changes to their own files may have to stay open too. */
const ofTools = new Set([...permissive, 'MPL-2.0', 'BlueOak-1.0.0', 'CC-BY-4.0']);

interface Package {
  name: string;
  licence: string;
  accepted: ReadonlySet<string>;
  /** Where to look. */
  from: string;
}

interface LockedPackage {
  version?: string;
  link?: boolean;
  dev?: boolean;
  devOptional?: boolean;
  license?: string;
}

/** The lock says it of nearly every package, also of those for other platforms; else the package itself does. */
function licenceOf(path: string, locked: LockedPackage): string {
  if (locked.license !== undefined) return locked.license;
  const manifest = join(root, path, 'package.json');
  if (!existsSync(manifest)) return 'none that is known (not installed here, and not in the lock)';
  const { license, licenses } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    license?: string | { type?: string };
    licenses?: { type?: string }[];
  };
  const listed = licenses?.map(({ type }) => type).join(' OR ');
  return (typeof license === 'object' ? license.type : license) ?? listed ?? 'none that is stated';
}

function npmPackages(): Package[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>;
  };
  return Object.entries(packages)
    .filter(([, { link }]) => link !== true)
    .map(([path, locked]) => ({
      name: `${path || '.'} ${locked.version ?? ''}`.trimEnd(),
      licence: licenceOf(path, locked),
      accepted: locked.dev === true || locked.devOptional === true ? ofTools : permissive,
      from: 'package-lock.json',
    }));
}

function cargoPackages(): Package[] {
  const args = ['metadata', '--format-version', '1', '--locked', ...cargoManifest];
  const options = { cwd: root, encoding: 'utf8', maxBuffer: 256 << 20 } as const;
  const { stdout, stderr, status, error } = spawnSync('cargo', args, options);
  if (status !== 0) throw new Error(`cargo metadata failed: ${error?.message ?? stderr}`);
  const { packages } = JSON.parse(stdout) as {
    packages: { name: string; version: string; license: string | null }[];
  };
  return packages.map(({ name, version, license }) => ({
    name: `${name} ${version}`,
    licence: license ?? 'none that is stated',
    accepted: permissive,
    from: 'core-engine/Cargo.lock',
  }));
}

/** Of the Kubernetes binaries, against which we test. */
function goModules(): Package[] {
  return goLicences().map((found) => ({ ...found, accepted: ofTools, from: 'scripts/kubernetes/go.mod' }));
}

const all = [...npmPackages(), ...cargoPackages(), ...goModules()];
let refused = 0;
for (const { name, licence, accepted, from } of all) {
  const found = notAccepted(licence, accepted);
  if (found.length === 0) continue;
  refused += 1;
  process.stderr.write(
    `${from}: ${name}: licence ${JSON.stringify(licence)} is not accepted because of ${found.join(', ')}; accepted: ${[...accepted].join(', ')}\n`,
  );
}
process.stdout.write(
  refused === 0 ? `the licences of ${all.length} packages are accepted\n` : `${refused} packages refused\n`,
);
process.exitCode = refused === 0 ? 0 : 1;

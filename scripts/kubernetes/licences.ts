// The licences of the Go modules that the Kubernetes binaries are built of: a list that is checked in, since their
// sources are only where somebody built them. There, `node scripts/kubernetes/licences.ts` makes the list anew.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const list = join(import.meta.dirname, 'licences.json');

export interface Module {
  readonly path: string;
  readonly version: string;
}

/** What a go.mod requires, in the versions that it puts in their place. */
export function modulesOf(text: string): Module[] {
  const replaced = new Map(
    [...text.matchAll(/^\s*(?:replace )?(\S+) => (\S+) (v\S+)$/gm)].map(
      ([, from = '', path = '', version = '']) => [from, { path, version }],
    ),
  );
  const required = [...text.matchAll(/^\s*(?:require )?([a-z][^\s=]+) (v\S+)(?: \/\/ indirect)?$/gm)];
  return required.map(([, path = '', version = '']) => replaced.get(path) ?? { path, version });
}

/** What only stands in a licence of that name. */
const TEXTS: readonly (readonly [string, RegExp])[] = [
  ['Apache-2.0', /Apache License,? Version 2\.0/],
  ['MPL-2.0', /Mozilla Public License,? (version|v\.) ?2\.0/i],
  ['ISC', /Permission to use, copy, modify,? and(\/or)? distribute this software for any purpose/],
  ['MIT', /Permission is hereby granted, free of charge, to any person obtaining a copy/],
  [
    'BSD-3-Clause',
    /Redistribution and use in source and binary forms.*(Neither the name|names of (its|the) contributors)/,
  ],
  ['BSD-2-Clause', /Redistribution and use in source and binary forms/],
];

/** The licence that a text is, as far as it is one of the usual ones. */
export function recognised(text: string): string | undefined {
  const line = text.replaceAll(/[\s"]+/g, ' ');
  return TEXTS.find(([, pattern]) => pattern.test(line))?.[0];
}

/** Module → licence, of the checked-in list. */
export function goLicences(): { name: string; licence: string }[] {
  const known = JSON.parse(readFileSync(list, 'utf8')) as Record<string, string>;
  return modulesOf(readFileSync(join(import.meta.dirname, 'go.mod'), 'utf8')).map(({ path, version }) => ({
    name: `${path} ${version}`,
    licence:
      known[path] ?? 'none that is known (run node scripts/kubernetes/licences.ts where the sources are)',
  }));
}

function sourceOf({ path, version }: Module): string {
  const cache =
    process.env['GOMODCACHE'] ?? join(process.env['GOPATH'] ?? join(homedir(), 'go'), 'pkg', 'mod');
  // Capitals are written so that file systems without them can tell modules apart.
  const escaped = path.replaceAll(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);
  return join(cache, `${escaped}@${version}`);
}

function licenceIn(directory: string): string {
  const file = readdirSync(directory).find((name) =>
    /^(LICEN[SC]E|COPYING)([.-](txt|md|mit|code))?$/i.test(name),
  );
  const licence = file === undefined ? undefined : recognised(readFileSync(join(directory, file), 'utf8'));
  if (licence === undefined) throw new Error(`${directory} has no licence that is known`);
  return licence;
}

if (import.meta.main) {
  const modules = modulesOf(readFileSync(join(import.meta.dirname, 'go.mod'), 'utf8'));
  const absent = modules.filter((module) => !existsSync(sourceOf(module)));
  if (absent.length > 0)
    throw new Error(`not here, so build first: ${absent.map(({ path }) => path).join(', ')}`);
  const entries = modules.map((module) => [module.path, licenceIn(sourceOf(module))]);
  writeFileSync(list, `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`);
}

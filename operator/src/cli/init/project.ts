// The files of a new strategy, from strategy-pods/template.

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from '../up/checkout.js';

const template = join(checkout, 'strategy-pods/template');
/** npm leaves a file of this name out of packages, so the template has it without the dot. */
const renamed: Record<string, string> = { gitignore: '.gitignore' };

interface Manifest {
  readonly version: string;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly allowScripts: object;
}

/** The project's tools are those that Flashpod itself is built with. */
function packageJson(name: string): string {
  const ours = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as Manifest;
  const tool = (tool: string) => [tool, ours.devDependencies[tool]] as const;
  const manifest = {
    name,
    version: '0.1.0',
    private: true,
    type: 'module',
    exports: './dist/index.js',
    scripts: {
      start: 'node flashpod.mjs start',
      test: 'node flashpod.mjs test',
      build: 'node flashpod.mjs build',
    },
    dependencies: { '@flashpod/sdk': `file:${join(checkout, 'strategy-pods/sdk')}` },
    devDependencies: {
      '@flashpod/operator': `file:${join(checkout, 'operator')}`,
      ...Object.fromEntries(['@types/node', 'node', 'typescript'].map(tool)),
    },
    allowScripts: ours.allowScripts,
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/** Every file of the project: path below its folder → text. */
export function projectFiles(name: string): Record<string, string> {
  const files = globSync('**/*', { cwd: template, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path): [string, string] => {
      const relative = path.slice(template.length + 1);
      return [renamed[relative] ?? relative, readFileSync(path, 'utf8').replaceAll('__NAME__', name)];
    });
  return { 'package.json': packageJson(name), ...Object.fromEntries(files) };
}

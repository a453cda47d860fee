// `flashpod init NAME`: a strategy of your own, with its test and its manifest, in a folder of its name.

import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { FlashpodError } from '../../errors.js';
import { checkout } from '../up/checkout.js';
import { UsageError } from '../usage.js';
import { checkedName } from './name.js';
import { projectFiles } from './project.js';

export interface Project {
  readonly folder: string;
  readonly files: readonly string[];
}

/** Writes the project into `<parent>/<name>`; leaves nothing behind when it cannot. */
export function initProject(text: string, parent: string): Project {
  const name = checkedName(text);
  const folder = resolve(parent, name);
  if (folder.startsWith(resolve(checkout) + sep))
    throw new UsageError('NAME', name, `it in a folder outside of the checkout ${checkout}, e.g. cd ~ first`);
  if (existsSync(folder) && !isEmptyFolder(folder))
    throw new UsageError(
      'NAME',
      name,
      `a name that is free here: ${folder} exists and is not an empty folder`,
    );
  const made = !existsSync(folder);
  const files = projectFiles(name);
  try {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
  } catch (cause) {
    if (made) rmSync(folder, { recursive: true, force: true });
    throw new FlashpodError('cli.init', `${folder} cannot be written: ${(cause as Error).message}`, {
      cause,
    });
  }
  return { folder, files: Object.keys(files) };
}

function isEmptyFolder(path: string): boolean {
  try {
    return readdirSync(path).length === 0;
  } catch {
    return false;
  }
}

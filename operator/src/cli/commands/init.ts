import { resolve } from 'node:path';
import { stringify } from 'yaml';
import { initProject } from '../init/index.js';
import { describePackage, schemaManifest } from '../package.js';
import { answer, print } from '../print.js';
import type { Command, CommonFlags } from './table.js';

export const initCommand: Command = {
  name: 'init',
  summary: 'make a strategy of your own: package, test and manifest in ./NAME',
  arguments: [{ name: 'name', description: 'name of the strategy, of its folder and of its package' }],
  outputs: ['text', 'json'],
  examples: ['flashpod init my-strategy && cd my-strategy && npm test && npm start'],
  run({ output }: CommonFlags, [name = '']) {
    const { folder, files } = initProject(name, process.cwd());
    answer(output, { name, folder, files }, () =>
      [
        `made ${folder}`,
        '',
        `  cd ${name}`,
        '  npm test',
        '  npm start',
        '',
        'The strategy is in src/index.ts, what it may trade in manifest.yaml.',
      ].join('\n'),
    );
  },
};

export const schemaCommand: Command = {
  name: 'schema',
  summary: 'print the ConfigMap with the parameter schema of a strategy of your own',
  arguments: [
    {
      name: 'folder',
      description: 'folder of the strategy, built',
      optional: true,
      default: '.',
      complete: 'folder',
    },
  ],
  outputs: ['yaml', 'json'],
  examples: ['flashpod schema ./my-strategy | kubectl apply -f -'],
  async run({ output }: CommonFlags, [folder = '.']) {
    const manifest = schemaManifest(await describePackage(resolve(folder)));
    print(output === 'json' ? JSON.stringify(manifest, null, 2) : stringify(manifest).trimEnd());
  },
};

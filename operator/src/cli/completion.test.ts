import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { commands } from './commands/index.js';
import { flagsOf } from './commands/table.js';
import { candidates, completionScript, givenValue, shells } from './completion.js';
import { programOf } from './program.js';

const folder = mkdtempSync(join(tmpdir(), 'flashpod-completion-'));
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  [[''], commands.map(({ name }) => name)],
  [
    ['get', ''],
    ['strategies', 'instances', 'accounts', 'cores', 'halts'],
  ],
  [['get', 'cores', ''], { kind: 'cores' }],
  [
    ['get', 'cores', '-o', ''],
    ['table', 'json', 'yaml', 'name'],
  ],
  [['get', '-o', 'json', 'cores', ''], { kind: 'cores' }],
  [['apply', '-f', ''], 'file'],
  [['up', '--strategy', ''], 'folder'],
  [['up', '--replay', 'a.gz', ''], 'file'],
  [
    ['up', '--replay', 'a.gz', 'b.gz', '--speed', ''],
    ['1', '10', 'max'],
  ],
  [
    ['halt', '--action', ''],
    ['Block', 'Cancel', 'Flatten'],
  ],
  [['halt', '--strategy', ''], { kind: 'strategies' }],
  [['logs', 'strategy', ''], { kind: 'strategy' }],
  [
    ['completion', ''],
    ['bash', 'zsh', 'fish'],
  ],
  [['frobnicate', ''], []],
])('after flashpod %j comes %j', (words, expected) => {
  expect(candidates(commands, words)).toEqual(expected);
});

test('names are asked for where the flags before them say', () => {
  const words = ['describe', 'core', '-n', 'desk-1', '--kubeconfig', '/k', ''];
  expect(givenValue(words, '-n', '--namespace')).toBe('desk-1');
  expect(givenValue(words, '--kubeconfig')).toBe('/k');
  // Its value is what is being typed.
  expect(givenValue(['describe', '-n', 'de'], '-n')).toBeUndefined();
});

test('every flag of every command is offered, and is in its help', () => {
  const program = programOf(commands);
  for (const command of commands) {
    const offered = candidates(commands, [command.name, '--']) as string[];
    const help = program.commands.find((one) => one.name() === command.name)?.helpInformation() ?? '';
    for (const { flags } of flagsOf(command)) {
      const [long] = /--[\w-]+/.exec(flags) ?? [];
      expect(offered).toContain(long);
      expect(help).toContain(long);
    }
    expect(help).toContain(command.summary.split(' ')[0]);
  }
});

test('names of commands and flags are lower-case words joined by dashes, and no command has one twice', () => {
  for (const command of commands) {
    const names = flagsOf(command).flatMap(({ flags }) => flags.match(/(?<![\w-])-{1,2}[\w-]+/g) ?? []);
    for (const name of names) expect(name).toMatch(/^(-[a-zA-Z]|--[a-z]+(-[a-z]+)*)$/);
    expect(new Set(names).size).toBe(names.length);
  }
});

/** A `flashpod` on the PATH that says which words it was asked with, and answers as told. */
function stub(answer: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  const script = `#!/bin/sh\nprintf '%s\\n' "$@" > "${folder}/asked"\nprintf '${answer}'\n`;
  writeFileSync(join(bin, 'flashpod'), script, { mode: 0o755 });
  return `${bin}:${process.env['PATH']}`;
}

const present = (shell: string) => spawnSync(shell, ['--version']).status === 0;
const checks = shells
  .filter(present)
  .map((shell) => [shell, shell === 'fish' ? '--no-execute' : '-n'] as const);

test.each(checks)('%s reads its script', (shell, flag) => {
  const file = join(folder, `completion.${shell}`);
  writeFileSync(file, completionScript(shell));
  execFileSync(shell, [flag, file]);
});

test.each([
  ['get strat', 2, 'strategies\\n', ['strategies']],
  ['apply -f ma', 3, ':file\\n', ['manifest one.yaml', 'map.txt', 'compopt -o filenames']],
  ['up --strategy ', 3, ':folder\\n', ['bin', 'compopt -o filenames']],
])('bash completes "flashpod %s"', (line, words, answer, expected) => {
  const PATH = stub(answer);
  for (const file of ['manifest one.yaml', 'map.txt']) writeFileSync(join(folder, file), '');
  const typed = ['flashpod', ...line.split(' ')];
  const script = [
    completionScript('bash'),
    `COMP_WORDS=(${typed.map((word) => JSON.stringify(word)).join(' ')}); COMP_CWORD=${words}`,
    // Readline's own: with it folders get a slash and blanks are escaped.
    `compopt() { COMPREPLY+=("compopt $*"); }`,
    `_flashpod; printf '%s\\n' "\${COMPREPLY[@]}"`,
  ].join('\n');
  const said = execFileSync('bash', ['-c', script], {
    cwd: folder,
    env: { ...process.env, PATH },
    encoding: 'utf8',
  });
  expect(said.trimEnd().split('\n').sort()).toEqual(expect.arrayContaining([...expected].sort()));
});

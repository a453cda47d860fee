import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Storage } from '../storage.js';
import { StateDirectory } from './state-directory.js';

let directory: string;
let open: StateDirectory[];

beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'fps-')), 'state');
  open = [];
});
afterEach(() => {
  for (const state of open.splice(0)) state.close();
  rmSync(join(directory, '..'), { recursive: true });
});

function start(): Storage {
  const state = StateDirectory.open(directory);
  open.push(state);
  return new Storage(state);
}

/** As the next process would find it. */
function restart(): Storage {
  for (const state of open.splice(0)) state.close();
  return start();
}

const object = (name: string, data = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data,
});
const names = (storage: Storage) => storage.list('/configmaps').map(({ metadata }) => metadata.name);
const log = () => join(directory, readdirSync(directory).find((name) => name.endsWith('.log')) ?? '');

describe('kept state', () => {
  it('has after a restart what was there, and its versions go on', () => {
    const before = start();
    before.put('/configmaps', object('a'));
    before.put('/configmaps', object('b', { x: '1' }));
    before.remove('/configmaps', object('a'));
    const { version } = before;
    const after = restart();
    expect(names(after)).toEqual(['b']);
    expect(after.get('/configmaps', 'default/b')).toMatchObject({ data: { x: '1' } });
    expect(after.version).toBe(version);
    expect(after.put('/configmaps', object('c')).metadata['resourceVersion']).toBe(String(version + 1));
  });

  it('tells a watch from before the restart to list again, and lets one that saw everything go on', () => {
    const before = start();
    const { version } = before;
    before.put('/configmaps', object('a'));
    const last = before.version;
    const after = restart();
    expect(() => after.since('/configmaps', version)).toThrow(/too old resource version/);
    expect(after.since('/configmaps', last)).toEqual([]);
  });

  it('is written before anybody is told, so that the death of the process loses nothing', () => {
    const storage = start();
    const kept: string[] = [];
    storage.subscribe(() => kept.push(readFileSync(log(), 'utf8')));
    storage.put('/configmaps', object('told'));
    expect(kept[0]).toContain('"told"');
  });

  it.each([
    ['half a line', '1a2b3c4d {"version":'],
    ['a line whose checksum is wrong', '00000000 {"version":1}\n'],
    ['bytes of nothing', '\0\0\0\0'],
  ])('leaves out %s at its end', (_, tail) => {
    start().put('/configmaps', object('a'));
    appendFileSync(log(), tail);
    const after = restart();
    expect(names(after)).toEqual(['a']);
    after.put('/configmaps', object('b'));
    expect(names(restart())).toEqual(['a', 'b']);
  });

  it('is refused when it is damaged in the middle, by file and line', () => {
    const storage = start();
    for (const name of ['a', 'b', 'c']) storage.put('/configmaps', object(name));
    for (const state of open.splice(0)) state.close();
    const path = log();
    writeFileSync(path, readFileSync(path, 'utf8').replace('"name":"b"', '"name":"x"'));
    expect(() => start()).toThrow(`${path}, line 3: its checksum is wrong, and good records follow it`);
  });

  it('of another format is refused', () => {
    start();
    for (const state of open.splice(0)) state.close();
    writeFileSync(log(), 'flashpod-state 2\n');
    expect(() => start()).toThrow('its first line is not "flashpod-state 1"');
  });

  it('folds a long log into a snapshot, and begins anew', () => {
    const storage = start();
    const large = { x: 'x'.repeat(1024 * 1024) };
    for (let count = 0; count < 12; count += 1) storage.put('/configmaps', object('large', large));
    storage.put('/configmaps', object('small'));
    expect(readdirSync(directory).sort()).toEqual(['lock', 'objects.1.log', 'objects.1.snapshot']);
    expect(names(restart())).toEqual(['large', 'small']);
  });

  it('with a snapshot that is not whole is refused', () => {
    const storage = start();
    const large = { x: 'x'.repeat(1024 * 1024) };
    for (let count = 0; count < 12; count += 1) storage.put('/configmaps', object('large', large));
    for (const state of open.splice(0)) state.close();
    const path = join(directory, 'objects.1.snapshot');
    writeFileSync(path, readFileSync(path).subarray(0, -20));
    expect(() => start()).toThrow('the snapshot is not whole');
  });

  it('is readable by its owner only', () => {
    start().put('/secrets', object('keys'));
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(log()).mode & 0o777).toBe(0o600);
  });

  it('is used by one process at a time, and freed by one that died', () => {
    start();
    for (const state of open.splice(0)) state.close();
    writeFileSync(join(directory, 'lock'), String(process.ppid));
    expect(() => start()).toThrow(`${directory} is in use by process ${process.ppid}`);
    writeFileSync(join(directory, 'lock'), '999999999');
    expect(names(start())).toEqual([]);
  });

  it('is used once at a time also within a process, and freed by a process whose number another one has now', () => {
    start();
    expect(() => StateDirectory.open(directory)).toThrow(`${directory} is in use by process ${process.pid}`);
    for (const state of open.splice(0)) state.close();
    // Our parent is alive, but did not begin with the machine.
    writeFileSync(join(directory, 'lock'), `${process.ppid} 1`);
    expect(names(start())).toEqual([]);
    expect(readdirSync(directory).filter((name) => name.startsWith('lock'))).toEqual(['lock']);
  });

  it('whose snapshot is missing is refused, and its log is left as it is', () => {
    const storage = start();
    const large = { x: 'x'.repeat(1024 * 1024) };
    for (let count = 0; count < 12; count += 1) storage.put('/configmaps', object('large', large));
    for (const state of open.splice(0)) state.close();
    const snapshot = join(directory, 'objects.1.snapshot');
    rmSync(snapshot);
    const before = readFileSync(log());
    expect(() => start()).toThrow(`${log()}, line 1: ${snapshot}, on which it builds, is missing`);
    expect(readFileSync(log()).equals(before)).toBe(true);
  });

  it('keeps its log, and leaves nothing behind, when there is no place for a snapshot', () => {
    const storage = start();
    // Nothing can be renamed to the name of a folder with something in it.
    mkdirSync(join(directory, 'objects.1.snapshot', 'x'), { recursive: true });
    const large = { x: 'x'.repeat(1024 * 1024) };
    for (let count = 0; count < 9; count += 1) storage.put('/configmaps', object('large', large));
    storage.put('/configmaps', object('small'));
    expect(readdirSync(directory).sort()).toEqual(['lock', 'objects.0.log', 'objects.1.snapshot']);
    rmSync(join(directory, 'objects.1.snapshot'), { recursive: true });
    storage.put('/configmaps', object('last'));
    // Not with every commit: each try writes everything.
    expect(readdirSync(directory).sort()).toEqual(['lock', 'objects.0.log']);
    storage.put('/configmaps', object('large', large));
    storage.put('/configmaps', object('large', large));
    expect(readdirSync(directory).sort()).toEqual(['lock', 'objects.1.log', 'objects.1.snapshot']);
    expect(names(restart())).toEqual(['large', 'last', 'small']);
  });

  it('takes away what an interrupted snapshot left', () => {
    start().put('/configmaps', object('a'));
    for (const state of open.splice(0)) state.close();
    writeFileSync(join(directory, 'objects.1.unfinished'), 'flashpod');
    writeFileSync(join(directory, 'objects.1.log'), 'flashpod-state 1\n');
    expect(names(start())).toEqual(['a']);
    expect(readdirSync(directory).sort()).toEqual(['lock', 'objects.0.log']);
  });

  it('that cannot be read is refused in words', () => {
    mkdirSync(join(directory, 'objects.0.log'), { recursive: true });
    expect(() => start()).toThrow(new RegExp(`^cannot use ${directory}: EISDIR`));
  });
});

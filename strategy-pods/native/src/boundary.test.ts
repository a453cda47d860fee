// Where JavaScript meets Rust: nothing that is passed ends the process, nothing stays behind.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { binding } from './binding.js';
import { InternalError, NativeError, nativeErrors, translated } from './errors.js';
import * as native from './index.js';
import { levelsOf, none } from './testing/levels.js';
import { btcFiles, recording } from './testing/recordings.js';

const built = (file: string) => fileURLToPath(new URL(`../dist/${file}`, import.meta.url));

describe('the boundary', () => {
  test('a panic is an InternalError, and the process goes on', () => {
    expect(() => native.provokePanic()).toThrow(InternalError);
    expect(() => native.provokePanic()).toThrow('provoked');
    const book = new native.Book({ levels: 1 });
    book.load(levelsOf([[1, 1]]), none);
    expect(book.top('Buy', 1)).toHaveLength(1);
  });

  const value = fc.oneof(
    fc.anything({ withTypedArray: true, withBigInt: true, withDate: true, withNullPrototype: true }),
    fc.double(),
    fc.float64Array({ maxLength: 5 }),
    fc.record({ prices: fc.float64Array({ maxLength: 3 }), quantities: fc.float64Array({ maxLength: 3 }) }),
    fc.record({ key: fc.nat(3), side: fc.constant('Buy'), type: fc.anything(), price: fc.anything() }),
    fc.record({ channel: fc.constant('c'), kind: fc.constant('deals'), deals: fc.anything() }),
    fc.constantFrom('Buy', 'Sell', 'Limit', 'Market', '1.5', new SharedArrayBuffer(8), () => 1),
  );

  /** Calls each method of what is made with anything, and fails at what is no error of ours. */
  function torment(make: Record<string, () => object>, isOurs: (error: unknown) => boolean): void {
    const methods = (prototype: object): string[] =>
      prototype === Object.prototype
        ? []
        : [...Object.getOwnPropertyNames(prototype), ...methods(Object.getPrototypeOf(prototype) as object)];
    const targets = Object.values(make).flatMap((create) =>
      methods(Object.getPrototypeOf(create()) as object)
        .filter((method) => !/^(constructor|dispose|state|counters)$/.test(method))
        .map((method) => ({ create, method })),
    );
    expect(targets.length).toBeGreaterThan(5);
    fc.assert(
      fc.property(
        fc.constantFrom(...targets),
        fc.array(value, { maxLength: 9 }),
        ({ create, method }, values) => {
          const object = create() as Record<string, (...all: unknown[]) => unknown>;
          try {
            object[method]?.(...values);
          } catch (error) {
            if (!isOurs(error)) throw error;
          }
        },
      ),
      { numRuns: 2_000 },
    );
  }
  const isOurs = (error: unknown) => error instanceof NativeError && error.code !== 'INTERNAL';

  test('no value makes the addon do anything but answer or refuse', () => {
    const made = {
      Book: () => new binding.Book(2),
      CertifiedBook: () => new binding.CertifiedBook('mexc', 2, 10, 'BTCUSDC'),
      EstimatedBook: () => new binding.EstimatedBook('conservative'),
      FifoBook: () => new binding.FifoBook(),
    };
    torment(made, (error) => isOurs(translated(error)));
  });

  test('no value makes the package throw anything but a NativeError', () => {
    torment(
      {
        Book: () => new native.Book(),
        CertifiedBook: () => new native.CertifiedBook(),
        EstimatedBook: () => new native.EstimatedBook(),
        FifoBook: () => new native.FifoBook(),
      },
      isOurs,
    );
    const { decodePush, encodePush, Book, CertifiedBook, EstimatedBook, Market, Replay } = native;
    const makers = [Book, CertifiedBook, EstimatedBook, Market, Replay].map(
      (Class) => (options: never) => new Class(options, options),
    );
    torment({ all: () => Object.create({ decodePush, encodePush, ...makers }) }, isOurs);
  });

  test('the types that are checked in are those of the addon', () => {
    const types = readFileSync(new URL('./binding.generated.ts', import.meta.url), 'utf8');
    const told = [
      ...(types.split('export interface Binding {')[1] ?? '').matchAll(/^ {2}(?:readonly )?(\w+)[(:]/gm),
    ];
    expect(told.map(([, name]) => name).sort()).toEqual(Object.keys(binding).sort());
    for (const [name, value] of Object.entries(binding)) {
      const members = types.split(`export interface ${name} {`)[1]?.split('\n}')[0];
      if (members === undefined) continue;
      const declared = [...members.matchAll(/^ {2}(\w+)\(/gm)].map(([, member]) => member);
      const { prototype } = value as { prototype: object };
      const real = Object.getOwnPropertyNames(prototype).filter((member) => member !== 'constructor');
      expect(declared.sort()).toEqual(real.sort());
    }
  });

  test('every code has its class and its remedy', () => {
    for (const code of Object.keys(nativeErrors)) {
      const error = translated(new Error(`${code}: why`));
      expect(error).toBeInstanceOf(NativeError);
      expect(error).toMatchObject({ code, message: 'why' });
      expect((error as Error).constructor).not.toBe(NativeError);
    }
    const foreign = new Error('OTHER: why');
    expect(translated(foreign)).toBe(foreign);
  });

  test('an addon that is not there says what to do', () => {
    const env = { ...process.env, FLASHPOD_NATIVE_ADDON: '/nowhere/flashpod.node' };
    const run = spawnSync(process.execPath, ['-e', `import(${JSON.stringify(built('index.js'))})`], { env });
    expect(run.stderr.toString()).toContain('/nowhere/flashpod.node is not there: run `npm run build`');
  });

  test('workers have books and replays of their own', async () => {
    const work = `
      import { parentPort } from 'node:worker_threads';
      import { Book, Replay } from ${JSON.stringify(pathToFileURL(built('index.js')).href)};
      const book = new Book({ levels: 1 });
      book.load({ prices: Float64Array.of(99), quantities: Float64Array.of(1) }, { prices: new Float64Array(), quantities: new Float64Array() });
      let events = 0;
      for await (const batch of new Replay({ files: [${JSON.stringify(recording(btcFiles[0] as string))}] })) events += batch.length;
      parentPort.postMessage([book.window.bids.prices[0], events]);
    `;
    const one = () =>
      new Promise<[number, number]>((resolve, reject) => {
        const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(work)}`));
        worker.once('message', resolve);
        worker.once('error', reject);
      });
    const [first, second] = await Promise.all([one(), one()]);
    expect(first).toEqual(second);
    expect(first[0]).toBe(99);
    expect(first[1]).toBeGreaterThan(9_000);
  });

  test('a worker that ends while its replay reads takes nobody along', async () => {
    const work = `
      import { parentPort } from 'node:worker_threads';
      import { Replay } from ${JSON.stringify(pathToFileURL(built('index.js')).href)};
      const reading = new Replay({ files: ${JSON.stringify(btcFiles.map(recording))}, batchSize: 1_000_000 }).read();
      parentPort.postMessage('reads');
      await reading;
    `;
    for (let round = 0; round < 3; round++) {
      const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(work)}`));
      await new Promise((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      });
      expect(await worker.terminate()).toBe(1);
    }
  });

  test('10,000 books come and go within the same memory, disposed of or collected', () => {
    const script = `
      import { Book } from ${JSON.stringify(built('index.js'))};
      const levels = { prices: Float64Array.from({ length: 200 }, (_, i) => 1000 - i), quantities: new Float64Array(200).fill(1) };
      const none = { prices: new Float64Array(), quantities: new Float64Array() };
      const settle = async () => { for (let i = 0; i < 4; i++) { gc(); await new Promise((done) => setImmediate(done)); } };
      const make = async (count, dispose) => {
        for (let i = 0; i < count; i++) {
          const book = new Book({ levels: 50 });
          book.load(levels, none);
          if (dispose) book.dispose();
          if (i % 500 === 499) await settle();
        }
      };
      await make(2000, true);
      await make(2000, false);
      await settle();
      const before = process.memoryUsage();
      await make(5000, true);
      await make(5000, false);
      await settle();
      const after = process.memoryUsage();
      console.log(JSON.stringify({ rss: after.rss - before.rss, external: after.external - before.external }));
    `;
    const run = spawnSync(process.execPath, ['--expose-gc', '--input-type=module', '-e', script]);
    expect(run.stderr.toString()).toBe('');
    const grown = JSON.parse(run.stdout.toString()) as { rss: number; external: number };
    // 10,000 books of this kind hold 66 MB: 200 levels and a window of 205 doubles each.
    expect(grown.rss).toBeLessThan(16 << 20);
    expect(grown.external).toBeLessThan(1 << 20);
  });
});

// MEXC depth frames decoded and applied: by the addon, one call a frame and many frames a call, and in TypeScript.

import { createHash } from 'node:crypto';
import { CertifiedBook, encodePush, eventKinds, Replay } from '@flashpod/native';
import { ModelBook } from '../../strategy-pods/native/dist/testing/model-book.js';
import { wrapper } from '../../strategy-pods/native/dist/testing/push-schema.js';
import { btc } from './recordings.ts';
import { medianNs, type Report, type Samples, timed } from './report.ts';

const section = 'native.frames';
const rounds = 15;

interface Snapshot {
  readonly version: number;
  readonly bids: { readonly prices: Float64Array; readonly quantities: Float64Array };
  readonly asks: { readonly prices: Float64Array; readonly quantities: Float64Array };
}

interface Tape {
  readonly snapshot: Snapshot;
  readonly frames: Buffer[];
  readonly levelChanges: number;
}

/** The recorded updates as MEXC would push them. */
async function tapeOf(files: readonly string[]): Promise<Tape> {
  let snapshot: Snapshot | undefined;
  let version = 0;
  const frames: Buffer[] = [];
  let levelChanges = 0;
  for await (const batch of new Replay({ files, levels: 0 })) {
    levelChanges += batch.levelChanges;
    for (let event = 0; event < batch.length; event++) {
      if (batch.kind[event] === eventKinds.trade) continue;
      const { books, changes } = batch;
      const row = batch.row[event] as number;
      const from = books.firstChange[row] as number;
      const middle = from + (books.bidChanges[row] as number);
      const end = middle + (books.askChanges[row] as number);
      const part = (a: number, b: number) => ({
        prices: changes.prices.subarray(a, b),
        quantities: changes.quantities.subarray(a, b),
      });
      const [bids, asks] = [part(from, middle), part(middle, end)];
      const to = batch.id[event] as number;
      if (batch.kind[event] === eventKinds.snapshot) snapshot = { version: to, bids, asks };
      else {
        const channel = 'spot@public.aggre.depth.v3.api.pb@100ms@BTCUSDT';
        const depth = { from: version + 1, to, bids, asks };
        frames.push(
          encodePush({
            channel,
            symbol: 'BTCUSDT',
            createdMs: batch.venueMs[event] as number,
            kind: 'depth',
            depth,
          }),
        );
      }
      version = to;
    }
  }
  if (snapshot === undefined) throw new Error('the recording has no snapshot');
  return { snapshot, frames, levelChanges };
}

interface Depth {
  readonly fromVersion: string;
  readonly toVersion: string;
  readonly bids: readonly { readonly price: string; readonly quantity: string }[];
  readonly asks: readonly { readonly price: string; readonly quantity: string }[];
}

/** The same in TypeScript: protobufjs' compiled decoder, versions checked, doubles in sorted arrays. */
class TypeScriptBook {
  readonly book = new ModelBook();
  #version: number;

  constructor({ version, bids, asks }: Snapshot) {
    this.#version = version;
    for (const [i, price] of bids.prices.entries()) this.book.bids.set(price, bids.quantities[i] as number);
    for (const [i, price] of asks.prices.entries()) this.book.asks.set(price, asks.quantities[i] as number);
  }

  onFrame(frame: Buffer): void {
    const { publicAggreDepths } = wrapper.decode(frame) as unknown as { publicAggreDepths: Depth };
    const { fromVersion, toVersion, bids, asks } = publicAggreDepths;
    if (Number(fromVersion) !== this.#version + 1) throw new Error(`gap before ${fromVersion}`);
    for (const { price, quantity } of bids) this.book.bids.set(Number(price), Number(quantity));
    for (const { price, quantity } of asks) this.book.asks.set(Number(price), Number(quantity));
    this.#version = Number(toVersion);
  }
}

/** Of the best five levels of both sides after every frame. */
function hashOf(frames: readonly Buffer[], step: (frame: Buffer) => readonly number[]): string {
  const hash = createHash('sha256');
  for (const frame of frames) hash.update(Float64Array.from(step(frame)));
  return hash.digest('hex').slice(0, 16);
}

const five = (book: CertifiedBook): number[] => {
  const { bids, asks } = book.window;
  return [bids, asks].flatMap(({ prices, quantities }) =>
    Array.from({ length: 5 }, (_, i) => [prices[i] as number, quantities[i] as number]).flat(),
  );
};

export async function frames(report: Report): Promise<void> {
  const tape = await tapeOf(btc());
  const certified = (levels: number): CertifiedBook => {
    const book = new CertifiedBook({ levels });
    book.onSnapshot(tape.snapshot);
    return book;
  };
  const [native, ours] = [certified(5), new TypeScriptBook(tape.snapshot)];
  const hash = hashOf(tape.frames, (frame) => {
    native.onFrame(frame);
    return five(native);
  });
  const modelHash = hashOf(tape.frames, (frame) => {
    ours.onFrame(frame);
    return [...ours.book.bids.top(5), ...ours.book.asks.top(5)].flat();
  });
  if (hash !== modelHash) throw new Error(`states differ: ${hash} of the addon, ${modelHash} in TypeScript`);

  const perFrame = await timed(tape.frames.length, 2, rounds, () => {
    const book = certified(5);
    return () => {
      for (const frame of tape.frames) book.onFrame(frame);
    };
  });
  const all = Buffer.concat(tape.frames);
  let end = 0;
  const ends = Uint32Array.from(tape.frames, (frame) => {
    end += frame.length;
    return end;
  });
  const many = await timed(tape.frames.length, 2, rounds, () => {
    const book = certified(5);
    return () => book.onFrames(all, ends);
  });
  const inTypeScript = await timed(tape.frames.length, 2, rounds, () => {
    const book = new TypeScriptBook(tape.snapshot);
    return () => {
      for (const frame of tape.frames) book.onFrame(frame);
    };
  });

  const perSecond = (samples: Samples) => 1e9 / medianNs(samples);
  const input =
    `${tape.frames.length} aggre.depth frames with ${tape.levelChanges} level changes, ${all.length} bytes, ` +
    'of the recorded BTCUSDT spot book, 10.8 minutes';
  const figure = { section, input, operation: 'frame', hash };
  report.add({ ...figure, name: 'addon, a call for each frame' }, perFrame, {
    'native.framesPerSecond': perSecond(perFrame),
  });
  report.add({ ...figure, name: 'addon, one call for all frames' }, many, {
    'native.framesPerSecondInBatches': perSecond(many),
  });
  report.add({ ...figure, name: 'TypeScript: protobufjs and sorted arrays' }, inTypeScript, {
    'native.framesPerSecondInTypeScript': perSecond(inTypeScript),
    'native.framesRatio': medianNs(inTypeScript) / medianNs(perFrame),
    'native.framesRatioInBatches': medianNs(inTypeScript) / medianNs(many),
  });
}

// A file of faults for the exchange, each kind in many sizes, at occasions that a seed decides.
import { Seeded } from './seed.ts';

/** As `flashpod-venue --faults` reads them: core-engine/crates/venue/README.md. */
export interface Fault {
  readonly kind: string;
  readonly [field: string]: string | number | boolean;
}

/** The strikes of a kind on a place: about this share of the frames or requests there. */
const shares: [kind: string, on: 'public' | 'private' | 'rest', share: number][] = [
  ['delay', 'public', 0.002],
  ['delay', 'private', 0.02],
  ['delay', 'rest', 0.03],
  ['loss', 'public', 0.0005],
  ['loss', 'private', 0.02],
  ['loss', 'rest', 0.01],
  ['reset', 'public', 0.0001],
  ['reset', 'private', 0.003],
  ['reset', 'rest', 0.01],
  ['silence', 'rest', 0.003],
  ['reorder', 'public', 0.002],
  ['reorder', 'private', 0.05],
  ['duplicate', 'public', 0.002],
  ['duplicate', 'private', 0.05],
  ['malformed', 'public', 0.0002],
  ['malformed', 'private', 0.003],
  ['malformed', 'rest', 0.004],
];

function strikesOf(random: Seeded, kind: string, on: string, share: number): Fault[] {
  const seed = random.whole(1, 1e9);
  const probability = share * random.between(0.5, 1.5);
  const base = { kind, on, probability, seed };
  const rest = on === 'rest';
  switch (kind) {
    case 'delay':
      return rest
        ? ['request', 'reply'].map((leg) => ({ ...base, leg, delayMs: random.whole(50, 4_000) }))
        : [{ ...base, delayMs: random.whole(50, 1_500) }];
    case 'loss':
    case 'reset':
      return rest ? [true, false].map((apply) => ({ ...base, apply })) : [base];
    case 'silence':
      return [true, false].map((apply) => ({ ...base, apply, lasts: `${random.whole(2, 8)}s` }));
    case 'malformed':
      return ['garbage', 'truncated', 'other'].map((shape) => ({ ...base, shape }));
    default:
      return [base];
  }
}

/** Windows in which a whole stream says nothing, one in about forty seconds. */
function silences(random: Seeded, lastsMs: number): Fault[] {
  const windows: Fault[] = [];
  for (let at = random.between(8_000, 20_000); at < lastsMs - 15_000; at += random.between(20_000, 60_000)) {
    const on = random.pick(['public', 'private']);
    const window = `${random.whole(1_000, 12_000)}ms`;
    windows.push({ kind: 'silence', on, from: `${Math.round(at)}ms`, for: window });
  }
  return windows;
}

/** Faults for a run of `lastsMs`, so many times as frequent; none strikes after that. */
export function faultsOf(lastsMs: number, seed: number, times = 1): Fault[] {
  const random = new Seeded(seed);
  const chance = (share: number) => ({
    probability: times * share * random.between(0.5, 1.5),
    seed: random.whole(1, 1e9),
  });
  const all: Fault[] = [
    ...shares.flatMap(([kind, on, share]) => strikesOf(random, kind, on, times * share)),
    ...[500, 502, 503, 504].flatMap((status) =>
      [true, false].map((apply) => ({ kind: '5xx', status, apply, ...chance(0.004) })),
    ),
    { kind: '429', retryAfterS: 1, ...chance(0.004) },
    { kind: '418', retryAfterS: 4, ...chance(0.0003) },
    { kind: 'gap', pushes: random.whole(1, 6), ...chance(0.0005) },
  ];
  const window = { from: '4s', for: `${lastsMs - 4_000}ms` };
  return [...all.map((fault) => ({ ...fault, ...window })), ...silences(random, lastsMs)];
}

// The faults, each with the way it strikes and the word of the core or of the exchange that it did.
import type { Fault } from '../chaos/faults.ts';
import { until } from '../shared.ts';
import type { Next, Stage } from './stages.ts';
import { hardMs, symbol } from './terms.ts';
import type { World } from './world.ts';

/** Gives who says that the fault happened and what it says; fails when it did not. */
type Fired = () => Promise<string>;

export interface Strike {
  readonly id: string;
  readonly title: string;
  readonly meaning: string;
  /** Why it has no meaning at a stage; undefined where it has. */
  readonly pointless?: (stage: Stage) => string | undefined;
  /** What it is on REST, at the request that comes next. */
  readonly onRest?: (next: Next) => Fault;
  /** What it is on the sockets of market data and of the account. */
  readonly onStreams?: readonly Fault[];
  /** What is done to the core; `stage` says whether it has been killed already. */
  readonly onCore?: (world: World, stage: Stage) => Promise<Fired>;
}

const everyPrivateFrame = { on: 'private', from: '0s', for: '2s' } as const;
const nextDepth = { on: 'public', channel: 'aggre.depth', symbol, nth: 1 } as const;
const ofNext = ({ method, path }: Next) => ({ method, ...(path && { path }), nth: 1 });
const stoppedMs = hardMs + 500;
const silentFor = '2s';

const booksNothing = ({ next }: Stage) =>
  next.method === 'GET' ? 'what the core asks there are queries, which book nothing' : undefined;

/** On a socket of both kinds. */
const frames = (kind: string, more: Record<string, string | number> = {}): Fault[] => [
  { kind, ...everyPrivateFrame, ...more },
  { kind, ...nextDepth, ...more },
];

async function kill(world: World, stage: Stage): Promise<Fired> {
  if (stage.crash) {
    // Killed there already: once more, in the midst of its recovery.
    await world.core.start();
    await until('the core to begin its recovery', 10_000, () =>
      world.core.log.some((line) => line.includes('state recovered')),
    );
  }
  const ending = await world.core.kill();
  if (ending.signal !== 'SIGKILL') throw new Error(`the core ended with ${ending.code} before it was killed`);
  return async () => 'the core ended by SIGKILL';
}

async function stop(world: World, stage: Stage): Promise<Fired> {
  if (stage.crash) {
    await world.core.start();
    await until('the core to speak to its agent', 10_000, () => world.agent.connected);
  }
  world.core.signal('SIGSTOP');
  const since = Date.now();
  await new Promise((resolve) => setTimeout(resolve, stoppedMs));
  const silentFrom = Math.max(world.agent.renewedAt + hardMs, since);
  const woken = Date.now();
  world.core.signal('SIGCONT');
  return async () => {
    const { orders } = await world.exchange.account();
    const at = (ns: string) => Number(BigInt(ns) / 1_000_000n);
    const late = orders.filter(({ acceptedUnixNs: ns }) => at(ns) > silentFrom && at(ns) < woken);
    if (late.length > 0) throw new Error(`${late[0]?.clientOrderId} was accepted past the hard deadline`);
    return `stopped for ${woken - since} ms, the lease ended after ${silentFrom - since} ms`;
  };
}

async function stepClock(world: World, stage: Stage): Promise<Fired> {
  if (stage.crash) await world.core.start();
  await world.core.stepClock(3_600_000);
  return async () => {
    // And back, which is a step as well.
    await world.core.stepClock(-3_600_000);
    await world.recover();
    await world.core.stepClock(0);
    return 'the core took the steps +1 h, −2 h and +1 h';
  };
}

async function endListenKeys(world: World): Promise<Fired> {
  const ended = await world.exchange.endListenKeys();
  return async () => {
    if (ended === 0) throw new Error('there was no listen key to end');
    return `the exchange ended ${ended} listen keys`;
  };
}

async function fillDisk(world: World, stage: Stage): Promise<Fired> {
  // The recovery after a crash meets what a full disk answers to a new file; a core that runs is told so.
  if (stage.crash) await world.core.start(1_000);
  else await world.core.fillDisk();
  return async () => {
    const { code } = await world.core.ended();
    const said = world.core.log.find((line) => /no storage space|No space left|File too large/.test(line));
    if (code !== 1 || !said)
      throw new Error(`the core ended with ${code}: ${world.core.log.slice(-3).join(' ')}`);
    return 'the core ended by itself: no room for the journal';
  };
}

export const strikes: readonly Strike[] = [
  { id: 'kill', title: 'kill -9', meaning: 'the process is gone at that instruction', onCore: kill },
  {
    id: 'stop',
    title: 'SIGSTOP past the lease',
    meaning: 'the process sleeps until its lease has run out',
    onCore: stop,
  },
  {
    id: 'reset',
    title: 'reset',
    meaning: 'TCP reset of the request, which was booked, and of both streams',
    onRest: (next) => ({ kind: 'reset', on: 'rest', ...ofNext(next), apply: true }),
    onStreams: [
      { kind: 'reset', on: 'private', nth: 1 },
      { kind: 'reset', ...nextDepth },
    ],
  },
  {
    id: 'silence',
    title: 'silent socket',
    meaning: 'sockets stay open and say nothing for longer than the core believes in them',
    onRest: (next) => ({ kind: 'silence', on: 'rest', ...ofNext(next), lasts: silentFor, apply: true }),
    onStreams: [
      { kind: 'silence', on: 'private', lasts: silentFor, nth: 1 },
      { kind: 'silence', ...nextDepth, lasts: silentFor },
    ],
  },
  {
    id: '5xx-before',
    title: '5xx before booking',
    meaning: 'the request fails and had no effect',
    onRest: (next) => ({ kind: '5xx', ...ofNext(next), apply: false }),
  },
  {
    id: '5xx-after',
    title: '5xx after booking',
    meaning: 'the request fails and had its effect',
    pointless: booksNothing,
    onRest: (next) => ({ kind: '5xx', ...ofNext(next), apply: true }),
  },
  {
    id: '429',
    title: '429',
    meaning: 'refused for its rate, Retry-After 1 s',
    onRest: (next) => ({ kind: '429', ...ofNext(next), retryAfterS: 1 }),
  },
  {
    id: '418',
    title: '418',
    meaning: 'refused as by a ban, Retry-After 1 s',
    onRest: (next) => ({ kind: '418', ...ofNext(next), retryAfterS: 1 }),
  },
  {
    id: 'malformed',
    title: 'malformed frames',
    meaning: 'random bytes instead of frames, on both streams',
    onStreams: frames('malformed', { shape: 'garbage' }),
  },
  {
    id: 'truncated',
    title: 'truncated frames',
    meaning: 'frames that end in the middle, on both streams',
    onStreams: frames('malformed', { shape: 'truncated' }),
  },
  {
    id: 'gap',
    title: 'gap',
    meaning: 'three depth frames in a row are lost',
    onStreams: [{ kind: 'gap', symbol, pushes: 3, nth: 1 }],
  },
  {
    id: 'duplicate',
    title: 'duplicate',
    meaning: 'every frame of the account, and a depth frame, comes twice',
    onStreams: frames('duplicate'),
  },
  {
    id: 'reorder',
    title: 'reorder',
    meaning: 'every frame of the account, and a depth frame, comes after its successor',
    onStreams: frames('reorder'),
  },
  {
    id: 'jump',
    title: 'version jump',
    meaning: 'the versions of a depth frame are a million too high',
    onStreams: [{ kind: 'jump', symbol, nth: 1 }],
  },
  {
    id: 'crossed',
    title: 'crossed book',
    meaning: 'a depth frame has a bid above every ask',
    onStreams: [{ kind: 'crossed', symbol, nth: 1 }],
  },
  {
    id: 'clock',
    title: 'clock step',
    meaning: 'the core’s wall clock is set an hour ahead, and back',
    onCore: stepClock,
  },
  {
    id: 'listen-key',
    title: 'listen key expiry',
    meaning: 'every listen key of the account ends, and its stream with it',
    onCore: endListenKeys,
  },
  {
    id: 'disk-full',
    title: 'disk full',
    meaning:
      'no room for the journal’s next file: the core stops in order and is started again when there is',
    onCore: fillDisk,
  },
];

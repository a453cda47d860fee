import type { LocalRun } from '../local-run.ts';
import { until } from '../shared.ts';
import { atWork, commands, incarnationOf, isOpen, maker, type Part, parts, prefixOf } from './parts.ts';
import { Seeded } from './seed.ts';

const restartWithinMs = 30_000;
const pause = (time: number) => new Promise((resolve) => setTimeout(resolve, time));

/** One thing that is done to one process. */
export interface Strike {
  readonly part: Part;
  readonly kind: 'kill' | 'stop';
  /** How long after the last recovery, ms. */
  readonly afterMs: number;
  /** Of a stop: how long, ms. */
  readonly lastsMs: number;
}

export interface Recovery extends Strike {
  readonly openOrders: number;
  /** From the kill, or from the end of the stop, until the part was seen at work again. */
  readonly recoveredMs: number;
}

/** As many kills and stops as asked for, spread over the parts, in an order and at moments that the seed decides. */
export function planOf(kills: number, stops: number, seed: number): Strike[] {
  const random = new Seeded(seed);
  const spread = (kind: Strike['kind'], count: number) =>
    Array.from({ length: count }, (_, n) => ({ kind, part: parts[n % parts.length] as Part }));
  return random.shuffled([...spread('kill', kills), ...spread('stop', stops)]).map(({ kind, part }) => ({
    kind,
    part,
    afterMs: Math.round(random.between(200, 2_500)),
    lastsMs: kind === 'stop' ? Math.round(random.between(200, 8_000)) : 0,
  }));
}

export async function tradingBegins(run: LocalRun): Promise<void> {
  await until('open orders after some trading', 60_000, async () => {
    const { orders } = await run.audit();
    return orders.length >= 40 && orders.filter(isOpen).length >= 2;
  });
}

/** Carries one strike out and waits until its part is at work again. */
export async function strike(run: LocalRun, what: Strike, prefix: string): Promise<Recovery> {
  await pause(what.afterMs);
  // Where there is a choice, with orders open: that is when there is something to lose.
  let open = 0;
  let incarnation = 0;
  const look = async () => {
    const { orders } = await run.audit();
    open = orders.filter(isOpen).length;
    incarnation = Math.max(...orders.map(incarnationOf));
    return open > 0;
  };
  await until('open orders', 5_000, look).catch(() => {});

  const command = commands[what.part];
  const pid = run.pidOf(command);
  if (what.kind === 'stop') {
    process.kill(pid, 'SIGSTOP');
    await pause(what.lastsMs);
    process.kill(pid, 'SIGCONT');
    const from = Date.now();
    const recovered = await atWork(run, what.part, from, { prefix });
    return { ...what, openOrders: open, recoveredMs: recovered - from };
  }
  process.kill(pid, 'SIGKILL');
  const killed = Date.now();
  await until(`a new ${what.part}`, restartWithinMs, () => {
    const now = run.findPid(command);
    return now !== undefined && now !== pid;
  });
  const recovered = await atWork(run, what.part, Date.now(), { incarnation, prefix });
  return { ...what, openOrders: open, recoveredMs: recovered - killed };
}

export function textOf({ kind, part, lastsMs, openOrders, recoveredMs }: Recovery): string {
  const what = kind === 'kill' ? 'kill -9 ' : `stop ${(lastsMs / 1_000).toFixed(1)} s`;
  return `${what} ${part.padEnd(8)} ${String(openOrders).padStart(2)} orders open, at work again after ${(recoveredMs / 1_000).toFixed(2)} s`;
}

/** All strikes of a plan, one after the other. */
export async function carryOut(
  run: LocalRun,
  plan: readonly Strike[],
  say: (line: string) => void,
): Promise<Recovery[]> {
  await tradingBegins(run);
  const prefix = await prefixOf(run, maker);
  const recoveries: Recovery[] = [];
  for (const [index, one] of plan.entries()) {
    const recovery = await strike(run, one, prefix);
    say(`${String(index + 1).padStart(3)} ${textOf(recovery)}`);
    recoveries.push(recovery);
  }
  return recoveries;
}

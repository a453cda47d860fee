// Figures in the shape of `flashpod-bench`, so that both stand in one file.

import { writeFileSync } from 'node:fs';

export interface Figure {
  readonly section: string;
  readonly name: string;
  readonly input: string;
  readonly operation: string;
  readonly n: number;
  readonly samples: number;
  readonly meanNs: number;
  readonly medianNs: number;
  readonly p90Ns: number;
  readonly maxNs: number;
  /** Processor time, all threads: what a busy machine does not lengthen. */
  readonly cpuNs: number;
  readonly hash: string;
  readonly remarks: readonly string[];
}

/** Nanoseconds of each sample, those of the processor on all threads for all together, and the operations in one. */
export interface Samples {
  readonly ns: readonly number[];
  readonly cpuNs: number;
  readonly operations: number;
}

/** Runs `make` and what it gives some times for warmth, then for the record; only the latter's second part counts. */
export async function timed(
  operations: number,
  warm: number,
  rounds: number,
  make: () => () => unknown,
): Promise<Samples> {
  const ns: number[] = [];
  let cpuNs = 0;
  for (let round = -warm; round < rounds; round++) {
    const run = make();
    const [cpu, began] = [process.cpuUsage(), process.hrtime.bigint()];
    await run();
    if (round < 0) continue;
    ns.push(Number(process.hrtime.bigint() - began));
    const { user, system } = process.cpuUsage(cpu);
    cpuNs += (user + system) * 1_000;
  }
  return { ns, cpuNs, operations };
}

export const medianNs = ({ ns, operations }: Samples): number => at(ns, 0.5) / operations;

function at(ns: readonly number[], share: number): number {
  const sorted = ns.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export class Report {
  readonly figures: Figure[] = [];
  readonly notRun: { section: string; reason: string }[] = [];
  /** Plain numbers under names that stay. */
  readonly results: Record<string, number> = {};

  add(
    figure: Pick<Figure, 'section' | 'name' | 'input' | 'operation' | 'hash'>,
    samples: Samples,
    results: Record<string, number> = {},
    remarks: readonly string[] = [],
  ): void {
    const { ns, operations } = samples;
    const each = (value: number) => value / operations;
    const full: Figure = {
      ...figure,
      n: operations * ns.length,
      samples: ns.length,
      meanNs: each(ns.reduce((sum, one) => sum + one, 0) / ns.length),
      medianNs: each(at(ns, 0.5)),
      p90Ns: each(at(ns, 0.9)),
      maxNs: each(at(ns, 1)),
      cpuNs: each(samples.cpuNs / ns.length),
      remarks,
    };
    this.figures.push(full);
    Object.assign(this.results, results);
    print(full, results);
  }

  write(file: string): void {
    const { figures, notRun, results } = this;
    writeFileSync(file, `${JSON.stringify({ figures, notRun, ...results }, null, 2)}\n`);
  }
}

function print(figure: Figure, results: Record<string, number>): void {
  const { operation, meanNs, medianNs, p90Ns, maxNs, cpuNs } = figure;
  const times = Object.entries({ mean: meanNs, median: medianNs, p90: p90Ns, max: maxNs, CPU: cpuNs });
  const lines = [
    `  ${figure.name}`,
    `    input        ${figure.input}`,
    `    n            ${figure.n} × ${operation} in ${figure.samples} samples`,
    `    ns/${operation.padEnd(9)} ${times.map(([name, value]) => `${name} ${value.toFixed(1)}`).join(', ')}`,
    `    result hash  ${figure.hash}`,
    ...figure.remarks.map((remark) => `    ${remark}`),
    ...Object.entries(results).map(([name, value]) => `    ${name} = ${value.toFixed(3)}`),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

// `npm run bench:peers -- [--json FILE] [--runs N]`: other projects on the same recorded markets, beside ours, in one go.
//
// They come from their registries into a folder outside the project (FLASHPOD_PEERS_DIR, else a cache folder of the
// user), which may be deleted at any time.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bin, cargoManifest, root } from '../parts.ts';
import { newest, pinned } from './versions.ts';

const { values } = parseArgs({
  options: { json: { type: 'string' }, runs: { type: 'string', default: '7' } },
});
const cache = resolve(
  process.env['FLASHPOD_PEERS_DIR'] ??
    join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'flashpod-bench-peers'),
);
const began = performance.now();
const python = join(cache, 'python/bin/python');
const input = join(cache, 'input');

type Row = Record<string, unknown>;
const report = {
  versions: {} as Record<string, unknown>,
  rows: [] as Row[],
  notRun: [] as { step: string; reason: string }[],
  results: {} as Record<string, number>,
};

function say(text: string): void {
  process.stdout.write(`[${((performance.now() - began) / 1_000).toFixed(0).padStart(4)} s] ${text}\n`);
}

/** Runs a command with its errors shown; what it printed. */
function run(
  command: string,
  args: string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): string {
  const done = spawnSync(command, args, {
    cwd: options.cwd ?? root,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  if (done.error) throw new Error(`cannot run ${command}: ${done.error.message}`);
  if (done.status !== 0)
    throw new Error(`${command} ${args.slice(0, 4).join(' ')} … ended with ${done.status}`);
  return done.stdout;
}

const rowsOf = (text: string): Row[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Row);

/** A step whose failure is told and leaves the others. */
function step(name: string, act: () => void): void {
  say(name);
  try {
    act();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    say(`  NOT RUN: ${reason}`);
    report.notRun.push({ step: name, reason });
  }
}

function note(name: string, value: number): void {
  report.results[name] = value;
  process.stdout.write(`         ${name} = ${value.toPrecision(5)}\n`);
}

/** `flashpod-bench`: one that is built already (FLASHPOD_BENCH_BIN), else built now. */
function bench(...args: string[]): string {
  const built = process.env['FLASHPOD_BENCH_BIN'];
  if (built !== undefined) return run(built, args);
  const build = ['run', '--quiet', '--profile', 'dist', '--locked', ...cargoManifest, '-p', 'flashpod-bench'];
  return run('cargo', [...build, '--', ...args]);
}

/** Our own figures of one section. */
function ours(section: string): Record<string, number> {
  const file = join(cache, 'own.json');
  bench('--only', section, '--json', file);
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>;
}

/** The recorded markets: name, tick and lot. */
const markets = [
  { name: 'spot', tick: '0.01', digits: '2', tickRaw: '1000000', lotRaw: '1000', suffix: '' },
  { name: 'usdm', tick: '0.1', digits: '1', tickRaw: '10000000', lotRaw: '100000', suffix: 'Usdm' },
];
const median = (seconds: number[]): number =>
  seconds.toSorted((a, b) => a - b)[Math.floor(seconds.length / 2)] ?? Number.NaN;

function backtests(script: string, market: (typeof markets)[number], unit: string, runs: string): Row[] {
  const [events, book] = ['events', 'book'].map((kind) => join(input, `${market.name}.${kind}`)) as [
    string,
    string,
  ];
  const lot = script === 'hft.py' ? String(Number(market.lotRaw) / 1e8) : market.digits;
  const rows = rowsOf(
    run(python, [join(root, 'scripts/bench-peers', script), events, book, market.tick, lot, runs]),
  ).map((row): Row => ({ market: market.name, ...row }));
  for (const row of rows) {
    const {
      strategy,
      depth,
      fills,
      pnl,
      levelsDifferent,
      levelsCompared,
      events: count,
      seconds,
    } = row as Row & {
      seconds: number[];
      events: number;
    };
    const name = `${unit}.${depth === undefined ? '' : `${depth}.`}${strategy === 'no_op' ? 'noOp' : 'quoting'}`;
    note(`peers.${name}.eventsPerSecond${market.suffix}`, count / median(seconds));
    const traded = fills === undefined ? '' : `${fills} fills, PnL ${pnl}; `;
    process.stdout.write(
      `         ${traded}${levelsCompared} levels of the final book compared, ${levelsDifferent} differ\n`,
    );
    if (levelsDifferent !== 0) throw new Error(`the final book differs: ${JSON.stringify(row)}`);
  }
  report.rows.push(...rows);
  return rows;
}

mkdirSync(cache, { recursive: true });
say(`environment: ${cache} (outside the project; may be deleted)`);
step('building our benchmarks with fat LTO, and the recorded markets for everybody', () => {
  bench('--export', input);
});
step('hftbacktest and nautilus_trader from PyPI', () => {
  if (!existsSync(python)) run('python3', ['-m', 'venv', join(cache, 'python')]);
  const wanted = Object.entries(pinned.pypi).map(([name, version]) => `${name}==${version}`);
  run(python, [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '--only-binary=:all:',
    ...wanted,
  ]);
});
step('versions', () => {
  report.versions = newest((command, args) => run(command, args), python);
  for (const [name, told] of Object.entries(report.versions))
    process.stdout.write(`         ${name}: ${told}\n`);
});

for (const market of markets) {
  const { suffix } = market;
  step(`back-test passes, ${market.name}`, () => {
    const own = ours(`backtest-${market.name}`);
    const hft = backtests('hft.py', market, 'hftbacktest', values.runs);
    const nautilus = backtests('nautilus.py', market, 'nautilus', '3');
    const again = ours(`backtest-${market.name}`);
    for (const [strategy, name] of [
      ['no_op', 'noOp.'],
      ['quoting', ''],
    ] as const) {
      const key = `backtest.${name}eventsPerSecond${suffix}`;
      // The slower of the run before and the one after theirs.
      const mine = Math.min(own[key] ?? 0, again[key] ?? 0);
      note(key, mine);
      const best = (rows: Row[]): number =>
        Math.max(
          ...rows
            .filter((row) => row['strategy'] === strategy)
            .map((row) => (row['events'] as number) / median(row['seconds'] as number[])),
        );
      note(`peers.ratio.backtest.${name}hftbacktest${suffix}`, mine / best(hft));
      note(`peers.ratio.backtest.${name}nautilus${suffix}`, mine / best(nautilus));
    }
    process.stdout.write(
      `         ours: ${own[`backtest.fills${suffix}`]} fills, PnL ${own[`backtest.pnl${suffix}`]} (partial fills, one clock)\n`,
    );
  });
}

step('books of the Rust crates (the first time they are built: some minutes)', () => {
  const folder = join(cache, 'books');
  cpSync(join(root, 'scripts/bench-peers/books'), folder, { recursive: true });
  const manifest = join(folder, 'Cargo.toml');
  writeFileSync(manifest, readFileSync(manifest, 'utf8').replaceAll('CHECKOUT', root));
  const env = { CARGO_TARGET_DIR: join(cache, 'target') };
  for (const { name, tickRaw, lotRaw, suffix } of markets) {
    const args = ['run', '--quiet', '--release', '--manifest-path', manifest, '--'];
    const rows = rowsOf(run('cargo', [...args, join(input, `${name}.events`), tickRaw, lotRaw], { env }));
    report.rows.push(...rows.map((row) => ({ market: name, ...row })));
    const ns = (book: string): number => rows.find((row) => row['book'] === book)?.['nsPerChange'] as number;
    for (const { book, nsPerChange, sameBestPrices } of rows) {
      process.stdout.write(
        `         ${name}: ${book} ${nsPerChange} ns a level change, same best prices: ${sameBestPrices}\n`,
      );
      if (sameBestPrices !== true) throw new Error(`${book} has other best prices than two BTreeMaps`);
    }
    const mine = Math.max(ns('flashpod'), ns('flashpod again'));
    note(`peers.book.levelChange.ns${suffix}`, mine);
    const fastest = Math.min(ns('hftbacktest HashMapMarketDepth'), ns('hftbacktest ROIVectorMarketDepth'));
    note(`peers.ratio.book.hftbacktest${suffix}`, fastest / mine);
    note(`peers.ratio.book.nautilus${suffix}`, ns('nautilus-model OrderBook') / mine);
    note(`peers.ratio.book.btreemap${suffix}`, ns('two BTreeMaps') / mine);
  }
});

step('frames of 20 levels: protobufjs and ccxt', () => {
  run(bin('tsc'), ['-b', join(root, 'strategy-pods/native')]);
  const files = [join(input, 'frames20'), join(input, 'spot.events')];
  const rows = rowsOf(run(bin('node'), ['scripts/bench-peers/frames.ts', ...files]));
  const mine = ours('mexc-depth-frame')['mexc.frame20.ns'] ?? Number.NaN;
  note('mexc.frame20.ns', mine);
  for (const { peer, what, nsPerFrame, sameBook, levelsCompared } of rows) {
    process.stdout.write(`         ${peer}, ${what}: ${(nsPerFrame as number).toFixed(0)} ns a frame\n`);
    if (sameBook === false) throw new Error(`the final book of ${peer} differs in ${levelsCompared} levels`);
    const key = (what as string).replaceAll(/ (\w)/g, (_, letter: string) => letter.toUpperCase());
    note(`peers.ratio.frame20.${peer}.${key}`, (nsPerFrame as number) / mine);
  }
  report.rows.push(...rows);
});

if (values.json !== undefined) {
  const { results, ...rest } = report;
  writeFileSync(values.json, `${JSON.stringify({ ...rest, ...results }, null, 2)}\n`);
}
say(report.notRun.length === 0 ? 'done' : `done; ${report.notRun.length} steps did not run`);
process.exitCode = report.notRun.length === 0 ? 0 : 1;
